-- Stores one value, unless something it was built from was invalidated after the token.
--
-- KEYS  1 the value, 2 the clock, 3 the fences, 4 the tags, 5 the blocks
-- ARGV  1 the token: epoch (24 bytes), ':', clock; 2 life of a fence in ms; 3 life of the value in
--       ms; 4 prefix of indexes; 5 the value; 6 "strict" or ""; 7 for how much longer a near cache may
--       have the value, in ms; then its tags
-- returns 1 stored, 0 refused, -1 edges were evicted: everything stored must be voided
local clock = redis.call('GET', KEYS[2])
local now = redis.call('TIME')
local now_us = now[1] * 1000000 + now[2]
local epoch = ARGV[1]:sub(1, 24)

-- Lua's stack bounds how many arguments a call takes.
local CHUNK, FIRST = 1000, 8
local function each_chunk(call)
  for first = FIRST, #ARGV, CHUNK do
    call(first, math.min(first + CHUNK - 1, #ARGV))
  end
end

-- The scores of the tags, at the indexes of ARGV; nil if the set lost its sentinel: it was evicted.
local function scores(set)
  if not redis.call('ZSCORE', set, '') then
    return nil
  end
  local all = {}
  each_chunk(function(first, last)
    for i, score in ipairs(redis.call('ZMSCORE', set, unpack(ARGV, first, last))) do
      all[first + i - 1] = tonumber(score or nil)
    end
  end)
  return all
end

-- An unchanged clock says that nothing at all was invalidated since the token: no fence to look at.
if clock ~= ARGV[1] then
  local token = tonumber(ARGV[1]:sub(26))
  -- Another epoch, or none, as the clock is gone: what was invalidated since is not known.
  if not clock or clock:sub(1, 24) ~= epoch then
    return 0
  end
  -- A fence set after the token may have outlived its life already.
  if math.max(now_us, tonumber(clock:sub(26))) - token > ARGV[2] * 1000 then
    return 0
  end
  local fences = scores(KEYS[3])
  if not fences then
    return -1
  end
  for i = FIRST, #ARGV do
    if fences[i] and fences[i] > token then
      return 0
    end
  end
end

local now_ms = math.floor(now_us / 1000)
if ARGV[6] == 'strict' then
  -- A write to what this was built from may commit at any moment.
  local all = redis.call('HGET', KEYS[5], '')
  if not all then
    return -1
  end
  local blocked = tonumber(all) > now_ms
  each_chunk(function(first, last)
    for _, writers in ipairs(redis.call('HMGET', KEYS[5], unpack(ARGV, first, last))) do
      for deadline in (writers or ''):gmatch('=(%d+),') do
        blocked = blocked or tonumber(deadline) > now_ms
      end
    end
  end)
  if blocked then
    return 0
  end
end

local expiries = scores(KEYS[4])
if not expiries then
  return -1
end
local lost = false
each_chunk(function(first, last)
  local known = {}
  for i = first, last do
    if expiries[i] and expiries[i] > now_ms then
      known[#known + 1] = ARGV[4] .. ARGV[i]
    end
  end
  if #known > 0 and redis.call('EXISTS', unpack(known)) < #known then
    -- Without a clock everything is void, from this moment on; the tags may begin anew.
    redis.call('DEL', KEYS[2])
    redis.call('ZREM', KEYS[4], unpack(ARGV, first, last))
    redis.call('UNLINK', unpack(known))
    lost = true
  end
end)
if lost then
  return -1
end

-- Numbers as text: Lua would write each anew for every call, with seventeen digits.
local life = tonumber(ARGV[3]) + tonumber(ARGV[7])
local expiry, expiry_text = now_ms + life, string.format('%.0f', now_ms + life)
for i = FIRST, #ARGV do
  redis.call('ZADD', ARGV[4] .. ARGV[i], expiry_text, KEYS[1])
end
-- For longer than that, so that not every fill has to prolong it.
local later = string.format('%.0f', expiry + life / 4)
each_chunk(function(first, last)
  local added = {}
  for i = first, last do
    if not expiries[i] or expiries[i] < expiry then
      added[#added + 1] = later
      added[#added + 1] = ARGV[i]
    end
  end
  if #added > 0 then
    redis.call('ZADD', KEYS[4], unpack(added))
  end
end)
redis.call('SET', KEYS[1], epoch:sub(1, 14) .. ARGV[5], 'PX', ARGV[3])

-- Tidies up, more than it leaves behind: what has expired in some of the indexes, taken at random; and indexes whose last
-- value has.
local tags = #ARGV - FIRST + 1
for n = 0, tags - 1, 50 do
  local index = ARGV[4] .. ARGV[FIRST + (now_us + n) % tags]
  local expired = redis.call('ZRANGEBYSCORE', index, '-inf', '(' .. now_ms, 'LIMIT', 0, 100)
  if #expired > 0 then
    redis.call('ZREM', index, unpack(expired))
  end
end
local over = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', '(' .. now_ms, 'LIMIT', 0, math.min(10 + 2 * tags, CHUNK))
if #over > 0 then
  redis.call('ZREM', KEYS[4], unpack(over))
  for i, tag in ipairs(over) do
    over[i] = ARGV[4] .. tag
  end
  redis.call('UNLINK', unpack(over))
end
return 1
