#!lua flags=allow-oom
-- PutUser. ARGV: the arguments of apply, SignInWindow.
-- Returns 1 if the user was applied, 0 if it is not newer, 2 if the hash is another
-- user's.
local user, window = ARGV[1], tonumber(ARGV[6])
local now = clock()
local h = redis.call('HMGET', key, 'u', 'v', 'a')
if h[1] and h[1] ~= user then return 2 end
local applied = 0
if apply(now, h[2], h[3]) then
  applied = 1
else
  rewrite()
end
lengthen(now, now + window)
return applied
