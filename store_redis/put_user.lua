#!lua flags=allow-oom
-- PutUser. ARGV: those of apply, SignInWindow. Returns 0 not newer, 1 applied, 2 tag of
-- another user.
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
