-- Gives up a claimant's leases, and nobody else's.
--
-- KEYS  at most 100 leases
-- ARGV  1 the claimant
-- returns nothing
for i, holder in ipairs(redis.call('MGET', unpack(KEYS))) do
  if holder == ARGV[1] then
    -- A server that takes no writes lets it end by itself.
    redis.pcall('DEL', KEYS[i])
  end
end
