-- Admits one order or says why not. Nothing is written unless the answer is a claim, but the rate limits: each
-- request takes one from its buyer's and one from its client's, whatever becomes of it, unless that refuses it.
--
-- KEYS  1 terms   hash  version, currency, types, prices, openAtMs, closeAtMs, maxPerOrder, maxPerBuyer,
--                       state, refilledAtMs, buyerRateLimit, clientRateLimit (requests a minute; '' is no limit);
--                       without types it is not loaded
--       2 stock   hash  ticket type id -> tickets that can still be given
--       3 claims  hash  order id -> the claim, word for word the message on the queue
--       4 waiting zset  order id -> when its message was last put on the queue, ms
--       5 buyers  hash  user id -> tickets admitted, as far as the gate remembers; only with a maxPerBuyer
--       6 bucket  of the buyer: when it is whole again, µs; a request moves that by a minute / the limit
--       7 bucket  of the client
--       8 record  of the buyer's idempotency key, only when the order has one: "order id, digest", and
--                 " replayed" once somebody was shown the claim again
-- ARGV  1 order id  2 event id  3 user id  4 schema
--       with KEYS[8]: 5 idempotency key  6 request digest  7 life of the record, ms  8 '1' when the ledger
--       was asked and does not know the key: the same request again, which the rate limits have counted
--       then ticket type id, quantity by turns; an empty ticket type id means the only type there is
-- returns 'rate-limited', the bucket, its limit and the µs until it takes one more, with blanks between; or
--       the claim as JSON ("{...}"; another order id than ARGV[1] is a replay), for a new claim of a limited
--       buyer in a list with the limit and the µs until the bucket is whole again, or 'settled' and the id of
--       the order that has the key, or 'key-forgotten' when only the ledger can know the key, or a problem
--       code, for a limit followed by a blank and the limit

local keyed = KEYS[8] ~= nil
local terms = redis.call('HMGET', KEYS[1], 'state', 'openAtMs', 'closeAtMs', 'maxPerOrder', 'types',
  'buyerRateLimit', 'clientRateLimit')
local clock = redis.call('TIME')
local now_us = clock[1] * 1000000 + clock[2]
local limits = { tonumber(terms[6]), tonumber(terms[7]) }
local whole_us
if terms[5] and (limits[1] or limits[2]) and not (keyed and ARGV[8] == '1') then
  whole_us = redis.call('MGET', KEYS[6], KEYS[7])
  for i = 1, 2 do
    if limits[i] then
      local step_us = math.ceil(60000000 / limits[i])
      whole_us[i] = math.max(tonumber(whole_us[i] or 0), now_us) + step_us
      local wait_us = whole_us[i] - now_us - step_us * limits[i]
      if wait_us > 0 then
        return string.format('rate-limited %s %d %d', i == 1 and 'buyer' or 'client', limits[i], wait_us)
      end
    end
  end
  for i = 1, 2 do
    if limits[i] then
      redis.call('SET', KEYS[5 + i], string.format('%d', whole_us[i]), 'PX', '60000')
    end
  end
end

if keyed then
  local record = redis.call('GET', KEYS[8])
  if record then
    local order_id, digest, heard = string.match(record, '^(%S+) (%S+)(.*)$')
    if digest ~= ARGV[6] then
      return 'idempotency-key-reused'
    end
    local claim = redis.call('HGET', KEYS[3], order_id)
    if not claim then
      return 'settled ' .. order_id
    end
    if order_id ~= ARGV[1] and heard == '' then
      redis.call('SET', KEYS[8], record .. ' replayed', 'KEEPTTL')
    end
    return claim
  end
end
local held = redis.call('HGET', KEYS[3], ARGV[1])
if held then
  return held
end

if not terms[5] then
  return 'not-loaded'
end
local now_ms = math.floor(now_us / 1000)
if keyed and ARGV[8] ~= '1' then
  local refilled_ms = redis.call('HGET', KEYS[1], 'refilledAtMs')
  if refilled_ms and now_ms < tonumber(refilled_ms) + tonumber(ARGV[7]) then
    return 'key-forgotten'
  end
end
if terms[1] ~= 'open' then
  return terms[1] == 'paused' and 'sale-paused' or 'sale-closed'
end
if terms[2] ~= '' and now_ms < tonumber(terms[2]) then
  return 'sale-not-open ' .. terms[2]
end
if terms[3] ~= '' and now_ms >= tonumber(terms[3]) then
  return 'sale-closed'
end

local first_line = keyed and 9 or 5
local types, wanted = {}, 0
for i = first_line, #ARGV, 2 do
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
  elseif available < tonumber(ARGV[first_line + 2 * i - 1]) then
    refusal = refusal or 'not-enough-tickets ' .. stock[i]
  end
end
if refusal then
  return refusal
end

-- what only an order with enough tickets needs to know: who is refused does not wait for it
local fields = { 'currency', 'maxPerBuyer' }
for i = 1, #types do
  fields[i + 2] = 'price:' .. types[i]
end
local more = redis.call('HMGET', KEYS[1], unpack(fields))
local capped = more[2] and more[2] ~= ''
if capped and tonumber(redis.call('HGET', KEYS[5], ARGV[3]) or 0) + wanted > tonumber(more[2]) then
  return 'buyer-limit-exceeded ' .. more[2]
end

local items = {}
for i = 1, #types do
  local quantity = tonumber(ARGV[first_line + 2 * i - 1])
  items[i] = { ticketTypeId = tonumber(types[i]), quantity = quantity, unitPrice = tonumber(more[i + 2]) }
  redis.call('HINCRBY', KEYS[2], types[i], -quantity)
end
local claim = cjson.encode({
  schema = tonumber(ARGV[4]), orderId = ARGV[1], eventId = tonumber(ARGV[2]), userId = ARGV[3],
  currency = more[1], items = items, acceptedAtMs = now_ms,
  idempotencyKey = keyed and ARGV[5] or nil, requestDigest = keyed and ARGV[6] or nil,
})
redis.call('HSET', KEYS[3], ARGV[1], claim)
redis.call('ZADD', KEYS[4], now_ms, ARGV[1])
if keyed then
  redis.call('SET', KEYS[8], ARGV[1] .. ' ' .. ARGV[6], 'PX', ARGV[7])
end
if capped then
  redis.call('HINCRBY', KEYS[5], ARGV[3], wanted)
end
if whole_us and limits[1] then
  return { claim, limits[1], whole_us[1] - now_us }
end
return claim
