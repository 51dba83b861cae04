-- Stores one value, unless something it was built from was invalidated after the token.
--
-- KEYS  1 the value, 2 the clock, then for each tag its fence and its index
-- ARGV  1 the token: epoch (24 bytes), ':', clock; 2 life of a fence in ms; 3 life of the value in
--       ms; 4 the value
-- returns 1 stored, 0 refused
local clock = redis.call('GET', KEYS[2])
local now = redis.call('TIME')
local now_us = now[1] * 1000000 + now[2]
local epoch = ARGV[1]:sub(1, 24)

-- An unchanged clock says that nothing at all was invalidated since the token: no fence to look at.
if clock ~= ARGV[1] then
  local token = tonumber(ARGV[1]:sub(26))
  -- Another epoch (or none: the clock is gone, and with it maybe fences), or a clock behind the
  -- token (a server that missed writes): what was invalidated since is not known.
  if not clock or clock:sub(1, 24) ~= epoch or tonumber(clock:sub(26)) < token then
    return 0
  end
  -- A fence set after the token may have outlived its life already.
  if now_us - token > ARGV[2] * 1000 then
    return 0
  end
  for i = 3, #KEYS, 2 do
    local fence = redis.call('GET', KEYS[i])
    if fence and tonumber(fence) > token then
      return 0
    end
  end
end

-- Every index lives at least as long as the values in it.
local now_ms = math.floor(now_us / 1000)
local life = tonumber(ARGV[3])
for i = 4, #KEYS, 2 do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now_ms)
  redis.call('ZADD', KEYS[i], now_ms + life, KEYS[1])
  if redis.call('PTTL', KEYS[i]) < life then
    redis.call('PEXPIRE', KEYS[i], life)
  end
end
redis.call('SET', KEYS[1], epoch .. ARGV[4], 'PX', life)
return 1
