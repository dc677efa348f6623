#!lua flags=allow-oom
-- RevokeUser. ARGV: ID of the session to keep, or ''. Returns how many live sessions it
-- has ended.
local n = finish(clock(), function(s) return s.id ~= ARGV[1] end)
if n == 0 then rewrite() end
return n
