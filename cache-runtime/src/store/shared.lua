-- What several scripts do; it is put before each of them.

-- The scores of edges and tags: until which second they are needed, and in the lower digits the mark of a lineage. So they tell what
-- is of a lineage that is over. To read the values would make them values that were used lately.
local SECOND = 2 ^ 20
local function mark_of(clock)
  local a, b, c, d = clock:byte(11, 14)
  return (((a * 62 + b) * 62 + c) * 62 + d) % SECOND
end

-- What is below it is over. As text, or Lua would write it with seventeen digits.
local function over_at(now_us)
  return '(' .. string.format('%.0f', math.floor(now_us / 1000000) * SECOND)
end

-- Deletes at most so many of the indexes whose last value has expired. Returns how many.
local function drop_over(tags, prefix, now_us, most)
  local over = redis.call('ZRANGEBYSCORE', tags, '-inf', over_at(now_us), 'LIMIT', 0, most)
  if #over > 0 then
    redis.call('ZREM', tags, unpack(over))
    for i, tag in ipairs(over) do
      over[i] = prefix .. tag
    end
    redis.call('UNLINK', unpack(over))
  end
  return #over
end

-- Forgets at most so many of the fences that have outlived every load, the oldest first. Returns how many there were.
local function forget_fences(fences, life_ms, now_us, most)
  local old = redis.call('ZCOUNT', fences, '-inf', string.format('%.0f', now_us - life_ms * 1000))
  if old > 0 then
    local last = math.min(old, most) - 1
    local newest = redis.call('ZRANGE', fences, last, last, 'WITHSCORES')[2]
    redis.call('ZREMRANGEBYRANK', fences, 0, last)
    -- Stands for them: another process may have a longer `max-load`, and this server's time may have been ahead for a moment.
    redis.call('ZADD', fences, 'GT', newest, '#')
  end
  return old
end

