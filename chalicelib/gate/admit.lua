-- Admits one order or says why not. Nothing is written unless the answer is a claim.
--
-- KEYS  1 terms   hash  version, currency, types, prices, openAtMs, closeAtMs, maxPerOrder, state
--       2 stock   hash  ticket type id -> tickets that can still be given
--       3 claims  hash  order id -> the claim, word for word the message on the queue
--       4 waiting zset  order id -> when its message was last put on the queue, ms
-- ARGV  1 order id  2 event id  3 user id  4 schema  then ticket type id, quantity by turns;
--       an empty ticket type id means the only type there is
-- returns the claim as JSON ("{...}"), or a problem code, for a limit followed by a blank and the limit

local held = redis.call('HGET', KEYS[3], ARGV[1])
if held then
  return held
end

local terms = redis.call('HMGET', KEYS[1], 'state', 'openAtMs', 'closeAtMs', 'maxPerOrder', 'types')
if not terms[5] then
  return 'not-loaded'
end
local clock = redis.call('TIME')
local now_ms = clock[1] * 1000 + math.floor(clock[2] / 1000)
if terms[1] ~= 'open' then
  return terms[1] == 'paused' and 'sale-paused' or 'sale-closed'
end
if terms[2] ~= '' and now_ms < tonumber(terms[2]) then
  return 'sale-not-open ' .. terms[2]
end
if terms[3] ~= '' and now_ms >= tonumber(terms[3]) then
  return 'sale-closed'
end

local types, wanted = {}, 0
for i = 5, #ARGV, 2 do
  local type_id = ARGV[i]
  if type_id == '' then
    if string.find(terms[5], ',', 1, true) then
      return 'ticket-type-required'
    end
    type_id = terms[5]
  end
  types[#types + 1] = type_id
  wanted = wanted + tonumber(ARGV[i + 1])
end
if terms[4] ~= '' and wanted > tonumber(terms[4]) then
  return 'order-limit-exceeded ' .. terms[4]
end

local stock = redis.call('HMGET', KEYS[2], unpack(types))
local refusal
for i = 1, #types do
  if not stock[i] then
    return 'ticket-type-not-found ' .. types[i]
  end
  local available = tonumber(stock[i])
  if available <= 0 then
    refusal = 'sold-out'
  elseif available < tonumber(ARGV[2 * i + 4]) then
    refusal = refusal or 'not-enough-tickets ' .. stock[i]
  end
end
if refusal then
  return refusal
end

local fields = { 'currency' }
for i = 1, #types do
  fields[i + 1] = 'price:' .. types[i]
end
local prices = redis.call('HMGET', KEYS[1], unpack(fields))
local items = {}
for i = 1, #types do
  local quantity = tonumber(ARGV[2 * i + 4])
  items[i] = { ticketTypeId = tonumber(types[i]), quantity = quantity, unitPrice = tonumber(prices[i + 1]) }
  redis.call('HINCRBY', KEYS[2], types[i], -quantity)
end
local claim = cjson.encode({
  schema = tonumber(ARGV[4]), orderId = ARGV[1], eventId = tonumber(ARGV[2]), userId = ARGV[3],
  currency = prices[1], items = items, acceptedAtMs = now_ms,
})
redis.call('HSET', KEYS[3], ARGV[1], claim)
redis.call('ZADD', KEYS[4], now_ms, ARGV[1])
return claim
