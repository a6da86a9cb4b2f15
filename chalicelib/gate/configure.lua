-- Gives a loaded event new terms; an older version changes nothing. A cold gate is left cold, but who is
-- filling it now has read the old terms and must start over.
--
-- KEYS  1 terms  2 epoch
-- ARGV  1 version, then field, value by turns
-- returns 1 when the terms were taken, 0 when not

local version = redis.call('HGET', KEYS[1], 'version')
if not version then
  redis.call('INCR', KEYS[2])
  return 0
end
if tonumber(version) >= tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('INCR', KEYS[2])
return 1
