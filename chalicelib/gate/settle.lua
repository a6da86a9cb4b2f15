-- Settles claims by id: a kept claim is sold, a returned one gives its tickets back to sale.
-- A claim is settled once; an id without a claim changes nothing, so repeating is harmless.
--
-- KEYS  1 stock  2 claims  3 waiting  4 epoch (a view of the ledger read before is old)  5 buyers
--       6 record of the idempotency key of the one returned order, only when it is withdrawn: nobody was
--         told of it, so the key is forgotten with it; when somebody was, by a replay, nothing is done
-- ARGV  1 number of kept ids, then the kept ids, then the returned ids
-- returns the number of claims settled

if KEYS[6] then
  local record = redis.call('GET', KEYS[6])
  if record then
    local order_id, heard = string.match(record, '^(%S+) %S+(.*)$')
    if order_id == ARGV[2] then
      if heard ~= '' then
        return 0
      end
      redis.call('DEL', KEYS[6])
    end
  end
end

local settled = 0
local kept = tonumber(ARGV[1])
-- unpack() puts its values on a stack of 8,000: a batch of 10,000 goes in slices
for first = 2, kept + 1, 1000 do
  local last = math.min(first + 999, kept + 1)
  settled = settled + redis.call('HDEL', KEYS[2], unpack(ARGV, first, last))
  redis.call('ZREM', KEYS[3], unpack(ARGV, first, last))
end

-- each returned claim is deleted before the next is looked at: an id named twice is given back once
local returns = #ARGV > kept + 1
local loaded = returns and redis.call('EXISTS', KEYS[1]) == 1
local counted = returns and redis.call('EXISTS', KEYS[5]) == 1
for i = kept + 2, #ARGV do
  local found = redis.call('HGET', KEYS[2], ARGV[i])
  if found then
    local claim = cjson.decode(found)
    local tickets = 0
    redis.call('HDEL', KEYS[2], ARGV[i])
    redis.call('ZREM', KEYS[3], ARGV[i])
    settled = settled + 1
    for _, item in ipairs(claim.items) do
      tickets = tickets + item.quantity
      if loaded then
        redis.call('HINCRBY', KEYS[1], string.format('%d', item.ticketTypeId), item.quantity)
      end
    end
    -- a buyer who was forgotten meanwhile counts from nothing: never more than the buyer has
    if counted and redis.call('HINCRBY', KEYS[5], claim.userId, -tickets) <= 0 then
      redis.call('HDEL', KEYS[5], claim.userId)
    end
  end
end
redis.call('INCR', KEYS[4])
return settled
