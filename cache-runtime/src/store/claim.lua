-- Reads values, and claims the keys that have none and that nobody else has claimed.
--
-- KEYS  1 the clock; then at most 100 values; then of each its lease
-- ARGV  1 the claimant; 2 life of a lease in ms
-- returns {{clock, value...}, {1 claimed or 0...}}; without a clock nothing is claimed, and the second is empty
local count = (#KEYS - 1) / 2
local answers = redis.call('MGET', unpack(KEYS, 1, count + 1))
local clock, claimed = answers[1], {}
if not clock then
  return {answers, claimed}
end
for i = 1, count do
  local value = answers[i + 1]
  claimed[i] = 0
  -- A value of another lineage is void.
  if not value or value:sub(1, 14) ~= clock:sub(1, 14) then
    -- Who held it before. An error is as good as nobody: a server that takes no leases (it is full, say) takes
    -- no values either, so there is none to wait for.
    local holder = redis.pcall('SET', KEYS[count + 1 + i], ARGV[1], 'NX', 'GET', 'PX', ARGV[2])
    if type(holder) ~= 'string' or holder == ARGV[1] then
      claimed[i] = 1
    end
  end
end
return {answers, claimed}
