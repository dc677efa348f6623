#!lua flags=allow-oom
-- RevokeUser. ARGV: ID to keep, or empty. Returns how many were live.
local n = finish(clock(), function(s) return s.id ~= ARGV[1] end)
if n == 0 then rewrite() end
return n
