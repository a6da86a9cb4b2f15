-- Gives a loaded event new terms; a cold gate is left cold, and an older version changes nothing.
--
-- KEYS  1 terms
-- ARGV  1 version, then field, value by turns
-- returns 1 when the terms were taken, 0 when not

local version = redis.call('HGET', KEYS[1], 'version')
if not version or tonumber(version) >= tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
