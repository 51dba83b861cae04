#!lua flags=allow-oom
-- Fences the tags and deletes what they index, at most so many keys: the caller comes again for the
-- rest, so that no other client waits for thousands of deletions. Each time the fences are set anew: until
-- its turn comes an old value may be read, and built into another whose load began after the first.
-- Publishes what it deletes, for the near caches: "old clock, new clock" and a key a line.
--
-- KEYS  1 the clock, 2 the fences, 3 the tags
-- ARGV  1 life of a fence in ms; 2 how many keys to delete at most; 3 prefix of indexes; 4 "first" or
--       "again"; 5 the channel; 6 "tell" the caller the keys as well, or ""; 7 how many fences to
--       keep at most; then at most 1000 tags
-- returns {1 all deleted or 0 come again, {key...}, the clock by now}; or {-1, {}, ''}: the clock, fences or edges are gone
--         (a flush, an eviction), everything stored must be voided
local FIRST = 8
local clock = redis.call('GET', KEYS[1])
if not clock or not redis.call('ZSCORE', KEYS[2], '') or not redis.call('ZSCORE', KEYS[3], '') then
  return { -1, {}, '' }
end
local now = redis.call('TIME')
local now_us = now[1] * 1000000 + now[2]
-- Every time, so that every message has a number.
local stamp = string.format('%.0f', math.max(tonumber(clock:sub(26)) + 1, now_us))
local advanced = clock:sub(1, 25) .. stamp
redis.call('SET', KEYS[1], advanced)
if ARGV[4] == 'first' then
  -- More than are set, and not so many that others wait.
  forget_fences(KEYS[2], ARGV[1], now_us, 2000)
end
if redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[7]) then
  -- One for all that were ever set. What it refuses beside them was being loaded meanwhile.
  redis.call('UNLINK', KEYS[2])
  redis.call('ZADD', KEYS[2], 'inf', '', stamp, '#')
end
local fences = {}
for i = FIRST, #ARGV do
  fences[#fences + 1] = stamp
  fences[#fences + 1] = ARGV[i]
end
redis.call('ZADD', KEYS[2], unpack(fences))

local mark = mark_of(clock)
local budget = tonumber(ARGV[2])
local deleted, lines = {}, { '' }
for i = FIRST, #ARGV do
  local index = ARGV[3] .. ARGV[i]
  local keys = redis.pcall('ZRANGE', index, 0, budget - 1)
  if keys.err then
    -- Somebody put another thing there.
    redis.call('DEL', KEYS[1], index)
    return { -1, {}, '' }
  elseif #keys > 0 then
    redis.call('UNLINK', unpack(keys))
    lines[#lines + 1] = table.concat(keys, '\n')
    if ARGV[6] == 'tell' then
      for _, key in ipairs(keys) do
        deleted[#deleted + 1] = key
      end
    end
    -- Those that were read.
    redis.call('ZREMRANGEBYRANK', index, 0, #keys - 1)
    budget = budget - #keys
    if redis.call('EXISTS', index) == 0 then
      redis.call('ZREM', KEYS[3], ARGV[i])
    end
  else
    -- No index: is there none to be, or was it evicted?
    local expiry = tonumber(redis.call('ZSCORE', KEYS[3], ARGV[i]) or nil)
    if expiry and expiry >= math.floor(now_us / 1000000) * SECOND and expiry % SECOND == mark then
      -- Without a clock everything is void, from this moment on; the tag may begin anew.
      redis.call('DEL', KEYS[1])
      redis.call('ZREM', KEYS[3], ARGV[i])
      return { -1, {}, '' }
    end
  end
  if budget == 0 then
    break
  end
end
lines[1] = clock .. ' ' .. advanced
redis.call('PUBLISH', ARGV[5], table.concat(lines, '\n'))
return { budget > 0 and 1 or 0, deleted, advanced }
