#!lua flags=allow-oom
-- RevokeSession. ARGV: ID. Returns whether there was one.
local id = ARGV[1]
local n = redis.call('HDEL', key, 's' .. id)
redis.call('HDEL', key, 't' .. id)
if n == 0 then rewrite() end
return n
