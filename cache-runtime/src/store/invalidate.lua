#!lua flags=allow-oom
-- Fences the tags and deletes what they index, at most so many keys: the caller comes again for the
-- rest, so that no other client waits for thousands of deletions. The fences are complete the first
-- time; a value stored between two calls is newer than them, and may be deleted needlessly.
--
-- KEYS  1 the clock
-- ARGV  1 life of a fence in ms; 2 how many keys to delete at most; 3 prefix of fences; 4 prefix of
--       indexes; then the tags
-- returns 1 all deleted, 0 come again, -1 no clock (it was flushed)
local clock = redis.call('GET', KEYS[1])
if not clock then
  return -1
end
local now = redis.call('TIME')
local stamp = math.max(tonumber(clock:sub(26)) + 1, now[1] * 1000000 + now[2])
local stamp_text = string.format('%.0f', stamp)
redis.call('SET', KEYS[1], clock:sub(1, 25) .. stamp_text)

-- Fences live on the time of their stamp, as tokens are judged by it: also after the server's time
-- was set back.
local fence_until = string.format('%.0f', math.ceil(stamp / 1000) + ARGV[1])
for i = 5, #ARGV do
  redis.call('SET', ARGV[3] .. ARGV[i], stamp_text, 'PXAT', fence_until)
end

local budget = tonumber(ARGV[2])
for i = 5, #ARGV do
  local index = ARGV[4] .. ARGV[i]
  local keys = redis.call('ZRANGE', index, 0, budget - 1)
  if #keys > 0 then
    redis.call('UNLINK', unpack(keys))
    redis.call('ZREM', index, unpack(keys))
    budget = budget - #keys
  end
  if budget == 0 then
    return 0
  end
end
return 1
