-- Fills a cold gate with one event, as the ledger had it when the epoch was ARGV[1].
-- What claims still hold is taken off the stock, so that a half-emptied gate is filled right, too.
--
-- KEYS  1 terms  2 stock  3 claims  4 epoch  5 loading (the lock, released here)  6 buyers
-- ARGV  1 epoch  2 '1' when the ledger has orders of the event, whose idempotency keys are not here
--       3 number of ticket types, then ticket type id, unsold, by turns; then field, value of the terms, by turns
-- returns 'loaded', 'already' when the event is in the gate, 'moved' when the epoch is another

redis.call('DEL', KEYS[5])
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 'already'
end
if (redis.call('GET', KEYS[4]) or '0') ~= ARGV[1] then
  return 'moved'
end

local terms_at = 4 + 2 * tonumber(ARGV[3])
for i = 4, terms_at - 1, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
end
for _, claim in ipairs(redis.call('HVALS', KEYS[3])) do
  for _, item in ipairs(cjson.decode(claim).items) do
    redis.call('HINCRBY', KEYS[2], string.format('%d', item.ticketTypeId), -item.quantity)
  end
end
redis.call('DEL', KEYS[6])
redis.call('HSET', KEYS[1], unpack(ARGV, terms_at))
local clock = redis.call('TIME')
if ARGV[2] == '1' then
  redis.call('HSET', KEYS[1], 'refilledAtMs', clock[1] * 1000 + math.floor(clock[2] / 1000))
end
-- a wiped server must not come by an epoch again that somebody still remembers: it counts on from the clock
redis.call('SET', KEYS[4], string.format('%.0f', clock[1] * 1000000 + clock[2]))
return 'loaded'
