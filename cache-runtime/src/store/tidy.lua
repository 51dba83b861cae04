#!lua flags=allow-oom
-- Deletes the indexes whose last value has expired, and fences that have outlived every load, whether anybody fills or not: after a flood
-- of what is never asked for again. At most so many, as nobody else is served meanwhile.
--
-- KEYS  1 the clock, 2 the fences, 3 the tags
-- ARGV  1 life of a fence in ms; 2 prefix of indexes; 3 how many
-- returns 1 when there are no more, or 0
local most = tonumber(ARGV[3])
local now = redis.call('TIME')
local now_us = now[1] * 1000000 + now[2]
for _, key in ipairs({ KEYS[2], KEYS[3] }) do
  if redis.call('TYPE', key).ok ~= 'zset' then
    -- Whoever needs it finds out.
    return 1
  end
end
local old = redis.call('ZCOUNT', KEYS[2], '-inf', string.format('%.0f', now_us - ARGV[1] * 1000))
if old > 0 then
  local last = math.min(old, most) - 1
  local newest = redis.call('ZRANGE', KEYS[2], last, last, 'WITHSCORES')[2]
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, last)
  -- Stands for them: another process may have a longer `max-load`, and this server's time may have been ahead for a moment.
  redis.call('ZADD', KEYS[2], 'GT', newest, '#')
end
-- Scores are seconds, and the mark of a line: see fill.lua.
local over_until = '(' .. string.format('%.0f', now[1] * 2 ^ 20)
local over = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', over_until, 'LIMIT', 0, most)
if #over > 0 then
  redis.call('ZREM', KEYS[3], unpack(over))
  for i, tag in ipairs(over) do
    over[i] = ARGV[2] .. tag
  end
  redis.call('UNLINK', unpack(over))
end
return #over < most and old < most and 1 or 0
