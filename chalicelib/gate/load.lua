-- Fills a cold gate with one event, as the ledger had it when the epoch was ARGV[1].
-- Claims that the ledger has decided are in its figures: they go. What the others hold is taken off the stock,
-- so that an event that was unloaded is filled right, too.
--
-- KEYS  1 terms  2 stock  3 claims  4 epoch  5 loading (the lock, released here)  6 buyers  7 waiting
-- ARGV  1 epoch  2 '1' when the ledger has orders of the event, whose idempotency keys are not here
--       3 number of ticket types, then ticket type id, unsold, by turns
--       then twice the number of terms, then field, value, by turns; then the decided orders' ids
-- returns 'loaded', 'already' when the event is in the gate, 'moved' when the epoch is another

redis.call('DEL', KEYS[5])
if redis.call('HEXISTS', KEYS[1], 'version') == 1 then
  return 'already'
end
if (redis.call('GET', KEYS[4]) or '0') ~= ARGV[1] then
  return 'moved'
end

local terms_at = 5 + 2 * tonumber(ARGV[3])
local decided_at = terms_at + tonumber(ARGV[terms_at - 1])
for i = 4, terms_at - 2, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
end
-- unpack() puts its values on a stack of 8,000: many orders go in slices
for first = decided_at, #ARGV, 1000 do
  local last = math.min(first + 999, #ARGV)
  redis.call('HDEL', KEYS[3], unpack(ARGV, first, last))
  redis.call('ZREM', KEYS[7], unpack(ARGV, first, last))
end
for _, claim in ipairs(redis.call('HVALS', KEYS[3])) do
  for _, item in ipairs(cjson.decode(claim).items) do
    redis.call('HINCRBY', KEYS[2], string.format('%d', item.ticketTypeId), -item.quantity)
  end
end
redis.call('DEL', KEYS[6])
local clock = redis.call('TIME')
local now_ms = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('HSET', KEYS[1], 'filledAtMs', now_ms, unpack(ARGV, terms_at, decided_at - 1))
if ARGV[2] == '1' then
  redis.call('HSET', KEYS[1], 'refilledAtMs', now_ms)
end
-- by this the event is known to be filled on this very server (greeting.py); one that does not tell has none
local told = redis.pcall('INFO', 'replication')
local history = type(told) == 'string' and string.match(told, 'master_replid:(%w+)')
if history then
  redis.call('HSETNX', KEYS[1], 'history', history)
end
-- a wiped server must not come by an epoch again that somebody still remembers: it counts on from the clock
redis.call('SET', KEYS[4], string.format('%.0f', clock[1] * 1000000 + clock[2]))
return 'loaded'
