-- Stores one value, unless something it was built from was invalidated after the token. Before that it tidies up: what a
-- full server has no room for is refused, and has made room all the same.
--
-- KEYS  1 the value, 2 the clock, 3 the fences, 4 the tags, 5 the blocks
-- ARGV  1 the token: epoch (24 bytes), ':', clock; 2 life of a fence in ms; 3 life of the value in
--       ms; 4 prefix of indexes; 5 the value; 6 "strict" or ""; 7 for how much longer a near cache may
--       have the value, in ms; 8 the channel of the near caches; then its tags
-- returns 1 stored, 0 refused, -1 edges were evicted: everything stored must be voided
local clock = redis.call('GET', KEYS[2])
local now = redis.call('TIME')
local now_us = now[1] * 1000000 + now[2]
local epoch = ARGV[1]:sub(1, 24)

-- Lua's stack bounds how many arguments a call takes.
local CHUNK, FIRST = 1000, 9
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
  -- When there are too many fences, this stands for all that were set until then.
  local floor = redis.call('ZSCORE', KEYS[3], '#')
  if floor and tonumber(floor) > token then
    return 0
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

local mark = mark_of(clock)
local now_s = math.floor(now_us / 1000000)

-- Edges are dead when their value has expired, as their scores tell; and when it was evicted, invalidated by another tag or
-- voided, which only a look at it tells. A few are looked at, taken at random, and many as long as there are dead ones
-- among them: their share is level, and a server that has none pays for little.
--
-- Not every fill does it, but then it does so much more.
local EVERY = 8
if now_us % EVERY == 0 then
  -- Whether the server is full is asked of the first write of a script alone. This one changes nothing; what takes
  -- something away is allowed.
  local probe = redis.pcall('SET', KEYS[2], '', 'NX')
  local refusal = type(probe) == 'table' and probe.err and probe
  if refusal and not refusal.err:find('OOM', 1, true) then
    return refusal
  end
  local tags, lineage, untold, is_scarce = #ARGV - FIRST + 1, clock:sub(1, 14), {}, refusal and true

  -- An index that is empty leaves the tags in the same script, or it would look evicted.
  local function drop(tag, keys)
    local index = ARGV[4] .. tag
    redis.call('ZREM', index, unpack(keys))
    if redis.call('EXISTS', index) == 0 then
      redis.call('ZREM', KEYS[4], tag)
    end
  end

  -- Looks at some edges of each tag, and drops the dead ones. Returns how many it has seen, and how many it has dropped.
  local function sweep(some, each)
    local seen, keys, is_old = {}, {}, false
    for _, tag in ipairs(some) do
      -- If a tag has no index, or a foreign one, who touches it will find out.
      local found = redis.pcall('ZRANDMEMBER', ARGV[4] .. tag, each, 'WITHSCORES')
      for i = 1, #found, 2 do
        local key, score = found[i], tonumber(found[i + 1])
        -- The value of this one will be there in a moment.
        if key ~= KEYS[1] then
          local is_of_line = score % SECOND == mark
          seen[#seen + 1], keys[#keys + 1] = { tag, key, score, is_of_line }, key
          is_old = is_old or not is_of_line
        end
      end
      if #seen >= 80 + 4 * tags then
        break
      end
    end
    if #seen == 0 or not is_old and redis.call('EXISTS', unpack(keys)) == #seen then
      return #seen, 0
    end
    local dead, count, void = {}, 0, {}
    for _, edge in ipairs(seen) do
      local tag, key, score, is_of_line = unpack(edge)
      local is_dead = false
      if not is_of_line then
        -- The value may be of this lineage all the same: it was stored anew, with other tags.
        local text = redis.pcall('GETRANGE', key, 0, 13)
        is_dead = text ~= lineage
        if is_dead and type(text) == 'string' and text ~= '' then
          void[#void + 1] = key
        end
      elseif redis.call('EXISTS', key) == 0 then
        is_scarce = is_scarce or score >= (now_s + math.ceil(ARGV[7] / 1000) + 2) * SECOND
        -- What has expired goes by its score, in a while, and is told to nobody; unless room is scarce.
        is_dead = is_scarce
        if is_dead and score >= now_s * SECOND then
          untold[#untold + 1] = key
        end
      end
      if is_dead then
        count, dead[tag] = count + 1, dead[tag] or {}
        table.insert(dead[tag], key)
      end
    end
    for tag, keys in pairs(dead) do
      drop(tag, keys)
    end
    if #void > 0 then
      redis.call('UNLINK', unpack(void))
    end
    return #seen, count
  end

  -- Indexes whose last value has expired, and in some of the fill's own what has.
  drop_over(KEYS[4], ARGV[4], now_us, math.min(EVERY * (10 + 2 * tags), CHUNK))
  local over_until = over_at(now_us)
  local at = math.floor(now_us / EVERY)
  for n = 0, tags - 1, 50 do
    local tag = ARGV[FIRST + (at + n) % tags]
    local expired = redis.pcall('ZRANGEBYSCORE', ARGV[4] .. tag, '-inf', over_until, 'LIMIT', 0, 25 * EVERY)
    if #expired > 0 then
      drop(tag, expired)
    end
  end

  -- Of its own tags as well: an index grows by fills.
  local function sample(count)
    local some = redis.call('ZRANDMEMBER', KEYS[4], -count)
    for n = 1, math.min(count, tags) do
      some[#some + 1] = ARGV[FIRST + (at + n) % tags]
    end
    return some
  end
  local seen, dropped = sweep(sample(1 + math.floor(tags / 16)), 4)
  for n = 1, 6 do
    if dropped * 8 < seen + 1 and not (refusal and n == 1) then
      break
    end
    seen, dropped = sweep(sample(8 + 2 * tags), 16)
  end
  if #untold > 0 then
    redis.call('PUBLISH', ARGV[8], clock .. ' ' .. clock .. '\n' .. table.concat(untold, '\n'))
  end
  if refusal then
    return refusal
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
    -- In a lineage that is over there may be any number of them.
    if expiries[i] and expiries[i] >= now_s * SECOND and expiries[i] % SECOND == mark then
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

-- As text, as in shared.lua.
local life = tonumber(ARGV[3]) + tonumber(ARGV[7])
local expiry = (math.floor((now_ms + life) / 1000) + 1) * SECOND + mark
local expiry_text = string.format('%.0f', expiry)
for i = FIRST, #ARGV do
  local added = redis.pcall('ZADD', ARGV[4] .. ARGV[i], expiry_text, KEYS[1])
  if type(added) == 'table' and added.err then
    if added.err:find('WRONGTYPE', 1, true) then
      -- Somebody has put another thing there, in place of edges: all is void, as above.
      redis.call('DEL', KEYS[2], ARGV[4] .. ARGV[i])
      return -1
    end
    return added
  end
end
-- For longer than that, so that not every fill has to prolong it.
local later = string.format('%.0f', expiry + math.ceil(life / 4000) * SECOND)
each_chunk(function(first, last)
  local added = {}
  for i = first, last do
    if not expiries[i] or expiries[i] < expiry or expiries[i] % SECOND ~= mark then
      added[#added + 1] = later
      added[#added + 1] = ARGV[i]
    end
  end
  if #added > 0 then
    redis.call('ZADD', KEYS[4], unpack(added))
  end
end)
redis.call('SET', KEYS[1], epoch:sub(1, 14) .. ARGV[5], 'PX', ARGV[3])
return 1
