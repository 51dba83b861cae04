#!lua flags=allow-oom
-- Deletes the indexes whose last value has expired, and fences that have outlived every load, whether anybody fills or not: after a flood
-- of what is never asked for again. At most so many, as nobody else is served meanwhile.
--
-- KEYS  1 the fences, 2 the tags
-- ARGV  1 life of a fence in ms; 2 prefix of indexes; 3 how many
-- returns 1 when there are no more, or 0
local most = tonumber(ARGV[3])
local now = redis.call('TIME')
local now_us = now[1] * 1000000 + now[2]
for _, key in ipairs(KEYS) do
  if redis.call('TYPE', key).ok ~= 'zset' then
    -- Whoever needs it finds out.
    return 1
  end
end
local old = forget_fences(KEYS[1], ARGV[1], now_us, most)
local over = drop_over(KEYS[2], ARGV[2], now_us, most)
return over < most and old < most and 1 or 0
