#!lua flags=allow-oom
-- RevokeSession. ARGV: session ID. Returns 1 if the session was there, otherwise 0.
local id = ARGV[1]
local n = redis.call('HDEL', key, 's' .. id)
redis.call('HDEL', key, 't' .. id)
if n == 0 then rewrite() end
return n
