#!lua flags=allow-oom
-- Blocks tags for a writer: no strict value built from one of them is stored until the writer unblocks
-- it, or its time is over. Or unblocks them.
--
-- KEYS  1 the clock, 2 the blocks: of each tag its writers and their deadlines, "writer=ms,"
-- ARGV  1 the writer; 2 life of the block in ms, or 0 to unblock; then at most 1000 tags
-- returns 1, or -1 when the clock or the blocks are gone (a flush, an eviction)
if not redis.call('GET', KEYS[1]) or not redis.call('HGET', KEYS[2], '') then
  return -1
end
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + now[2] / 1000
local life = tonumber(ARGV[2])
for i = 3, #ARGV do
  local left = {}
  for writer, deadline in (redis.call('HGET', KEYS[2], ARGV[i]) or ''):gmatch('([^=]+)=(%d+),') do
    if writer ~= ARGV[1] and tonumber(deadline) > now_ms then
      left[#left + 1] = writer .. '=' .. deadline .. ','
    end
  end
  if life > 0 then
    left[#left + 1] = ARGV[1] .. '=' .. string.format('%.0f', math.ceil(now_ms) + life) .. ','
  end
  if #left > 0 then
    redis.call('HSET', KEYS[2], ARGV[i], table.concat(left))
  else
    redis.call('HDEL', KEYS[2], ARGV[i])
  end
end
-- Writers that died have left theirs: of those, taken at random, more go than come.
local some = redis.call('HRANDFIELD', KEYS[2], math.min(10 + 2 * (#ARGV - 2), 100), 'WITHVALUES')
local over = {}
for i = 1, #some, 2 do
  local writers, last = some[i + 1], nil
  for deadline in writers:gmatch('=(%d+),') do
    last = math.max(last or 0, tonumber(deadline))
  end
  -- What is no tag has no writers.
  if last and last <= now_ms then
    over[#over + 1] = some[i]
  end
end
if #over > 0 then
  redis.call('HDEL', KEYS[2], unpack(over))
end
return 1
