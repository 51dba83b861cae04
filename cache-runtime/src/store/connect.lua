#!lua flags=allow-oom
-- Makes sure that there is an epoch of this server's, with the sets that belong to it: another
-- server's (a restart, a fail-over, a restored snapshot) may have missed invalidations, so everything
-- stored under it is void.
--
-- KEYS  1 the clock, 2 the fences, 3 the tags
-- ARGV  1 the server's identity, which begins the epoch; 2 a new epoch; 3 "force" to begin it anyway
local clock = redis.call('GET', KEYS[1])
local complete = clock and clock:sub(1, #ARGV[1]) == ARGV[1]
  and redis.call('ZSCORE', KEYS[2], '') and redis.call('ZSCORE', KEYS[3], '')
if ARGV[3] == 'force' or not complete then
  local now = redis.call('TIME')
  redis.call('SET', KEYS[1], ARGV[2] .. ':' .. string.format('%.0f', now[1] * 1000000 + now[2]))
  -- The sentinels by which scripts see whether a set was evicted: an empty tag, never the oldest.
  redis.call('ZADD', KEYS[2], 'inf', '')
  redis.call('ZADD', KEYS[3], 'inf', '')
end
return redis.status_reply('OK')
