-- Makes an event cold whose server may have forgotten some of it: nothing that it says is believed until it is
-- filled again. Claims stay: each may be all that there is of an order. Keys that are not found are the
-- ledger's to know from now on.
--
-- KEYS  1 terms  2 stock  3 epoch  4 buyers
-- ARGV  1 the server that it is done for: once for each, however many notice
-- returns 1, or 0 when it was done, or when the event was filled on this very server

if redis.call('HGET', KEYS[1], 'history') == ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[4])
local clock = redis.call('TIME')
redis.call('HSET', KEYS[1], 'history', ARGV[1], 'refilledAtMs', clock[1] * 1000 + math.floor(clock[2] / 1000))
-- the server may have gone back to an epoch that somebody still remembers: it counts on from the clock
redis.call('SET', KEYS[3], string.format('%.0f', clock[1] * 1000000 + clock[2]))
return 1
