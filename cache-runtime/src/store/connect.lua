#!lua flags=allow-oom
-- Makes sure that there is a clock of this server's: another server's (a restart, a fail-over, a
-- restored snapshot) may have missed invalidations, so everything stored under it is void.
--
-- KEYS  1 the clock
-- ARGV  1 the server's identity, which begins the epoch, 2 a new epoch, 3 "force" to begin it anyway
local clock = redis.call('GET', KEYS[1])
if ARGV[3] == 'force' or not clock or clock:sub(1, #ARGV[1]) ~= ARGV[1] then
  local now = redis.call('TIME')
  local stamp = now[1] * 1000000 + now[2]
  redis.call('SET', KEYS[1], ARGV[2] .. ':' .. string.format('%.0f', stamp))
end
return redis.status_reply('OK')
