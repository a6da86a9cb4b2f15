-- Fills a cold gate with one event, as the ledger had it when the epoch was ARGV[1].
-- What claims still hold is taken off the stock, so that a half-emptied gate is filled right, too.
--
-- KEYS  1 terms  2 stock  3 claims  4 epoch  5 loading (the lock, released here)
-- ARGV  1 epoch  2 number of ticket types
--       then ticket type id, unsold, by turns; then field, value of the terms, by turns
-- returns 'loaded', 'already' when the event is in the gate, 'moved' when the epoch is another

redis.call('DEL', KEYS[5])
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 'already'
end
if (redis.call('GET', KEYS[4]) or '0') ~= ARGV[1] then
  return 'moved'
end

local terms_at = 3 + 2 * tonumber(ARGV[2])
for i = 3, terms_at - 1, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
end
for _, claim in ipairs(redis.call('HVALS', KEYS[3])) do
  for _, item in ipairs(cjson.decode(claim).items) do
    redis.call('HINCRBY', KEYS[2], string.format('%d', item.ticketTypeId), -item.quantity)
  end
end
redis.call('HSET', KEYS[1], unpack(ARGV, terms_at))
return 'loaded'
