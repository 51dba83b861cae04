#!lua flags=allow-oom
-- Makes sure that there is an epoch, with all that belongs to it, of this source and on this server.
-- Another server (a restart, a fail-over, a restored snapshot) may have missed invalidations: nothing
-- is read from it until somebody has made up for them and adopts the epoch.
--
-- KEYS  1 the clock, 2 the fences, 3 the tags, 4 the blocks
-- ARGV  1 the name of a new lineage (14 bytes, of which 6 name the source); 2 the server's identity
--       (10 bytes), the two of which are an epoch; 3 "adopt" what another server left, "void" to begin
--       an epoch in any case, or ""; 4 life of a block in ms; 5 the channel of the near caches
-- returns {"same", age}: since it began or was adopted, in microseconds; {"new", 0}: a new epoch, and everything
--         from before is void; {"behind", age}: another server's epoch, since the last invalidation that it was told in time;
--         as the third of each, which of the keys were something else, and are replaced
local foreign = {}
for i, type in ipairs({ 'string', 'zset', 'zset', 'hash' }) do
  local found = redis.call('TYPE', KEYS[i]).ok
  if found ~= type and found ~= 'none' then
    redis.call('UNLINK', KEYS[i])
    foreign[#foreign + 1] = KEYS[i]
  end
end
local clock = redis.call('GET', KEYS[1])
if clock and not clock:find('^.+:%d+$') then
  foreign[#foreign + 1] = KEYS[1]
  clock = nil
end
local now = redis.call('TIME')
local now_us = now[1] * 1000000 + now[2]
local complete = clock and redis.call('ZSCORE', KEYS[2], '') and redis.call('ZSCORE', KEYS[3], '')
  and redis.call('HGET', KEYS[4], '') and clock:sub(1, 6) == ARGV[1]:sub(1, 6)
if ARGV[3] == 'void' or not complete then
  local begun = ARGV[1] .. ARGV[2] .. ':' .. string.format('%.0f', now_us)
  redis.call('SET', KEYS[1], begun)
  -- It follows nothing: near caches forget all.
  redis.call('PUBLISH', ARGV[5], ' ' .. begun)
  -- The sentinels by which scripts see whether something was evicted: an empty tag, never the oldest.
  redis.call('ZADD', KEYS[2], 'inf', '')
  redis.call('ZADD', KEYS[3], 'inf', '')
  -- There may be writers whose blocks are forgotten: until they are over, nothing strict is stored.
  redis.call('DEL', KEYS[4])
  redis.call('HSET', KEYS[4], '', string.format('%.0f', math.ceil(now_us / 1000) + ARGV[4]),
    'since', string.format('%.0f', now_us))
  return {'new', 0, foreign}
end
if clock:sub(15, 24) == ARGV[2] then
  return {'same', math.max(now_us - tonumber(redis.call('HGET', KEYS[4], 'since') or 0), 0), foreign}
end
local ticks = tonumber(clock:sub(26))
if ARGV[3] == 'adopt' then
  local adopted = clock:sub(1, 14) .. ARGV[2] .. ':' .. string.format('%.0f', math.max(ticks + 1, now_us))
  redis.call('SET', KEYS[1], adopted)
  redis.call('PUBLISH', ARGV[5], ' ' .. adopted)
  redis.call('HSET', KEYS[4], 'since', string.format('%.0f', now_us))
  redis.call('HDEL', KEYS[4], 'behind')
  return {'same', 0, foreign}
end
-- Nobody's, from here on: no token from before counts any more, wherever this clock will be. And it goes on while the server
-- is told what it missed, perhaps by somebody who does not come to the end: since when that was is noted.
local NOBODY = 'is-behind-'
if clock:sub(15, 24) ~= NOBODY then
  redis.call('SET', KEYS[1], clock:sub(1, 14) .. NOBODY .. clock:sub(25))
  redis.call('HSET', KEYS[4], 'behind', clock:sub(26))
end
-- A clock far ahead is as little to be trusted as one far behind.
return {'behind', math.abs(now_us - tonumber(redis.call('HGET', KEYS[4], 'behind') or 0)), foreign}
