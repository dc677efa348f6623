#!lua flags=allow-oom
-- RevokeUser. ARGV: ID to keep, or empty. Returns how many were live.
local n = finish(clock(), ARGV[1])
if n == 0 then rewrite() end
return n
