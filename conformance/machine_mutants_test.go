package conformance_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// scriptMutants replace one text in one script, so that the script breaks one rule.
var scriptMutants = map[string]struct{ script, old, new string }{
	"idle not answered":             {"CheckSession", "' ' .. session\n", "' ' .. string.gsub(session, '^(%d+ %d+) %d+', '%1 9000000000000')\n"},
	"absolute not answered":         {"CheckSession", "' ' .. session\n", "' ' .. string.gsub(session, '^(%d+) %d+', '%1 9000000000000')\n"},
	"time answered is one early":    {"CheckSession", "' ' .. t[2] ..", "' ' .. t[2] - 1000 .."},
	"touch revives":                 {"CheckSession", "and age < tonumber(idle) then", "then"},
	"touch revives at the end":      {"CheckSession", "age < tonumber(idle)", "age <= tonumber(idle)"},
	"touch shortens TTL":            {"CheckSession", "if redis.call('PTTL', KEYS[1]) < ends - now then redis.pcall('PEXPIREAT', KEYS[1], text(ends)) end", "redis.call('PEXPIREAT', KEYS[1], text(ends))"},
	"touch does not extend TTL":     {"CheckSession", "if redis.call('PTTL', KEYS[1]) < ends - now then redis.pcall('PEXPIREAT', KEYS[1], text(ends)) end", ""},
	"touch not recorded":            {"CheckSession", "redis.pcall('HSET', KEYS[1], 't' .. id, text(now))", "1"},
	"touch recorded, not answered":  {"CheckSession", "last, verdict = text(now), '4'", "verdict = '4'"},
	"touch recorded, not said":      {"CheckSession", "last, verdict = text(now), '4'", "last = text(now)"},
	"touch said and not recorded":   {"CheckSession", "local verdict, age = '3'", "local verdict, age = '4'"},
	"touch one late":                {"CheckSession", "age >= ARGV[2] + 0", "age > ARGV[2] + 0"},
	"touch always":                  {"CheckSession", "age >= ARGV[2] + 0", "true"},
	"newer record not sent":         {"CheckSession", "if record or f ~= known then", "if record then"},
	"newer record not told apart":   {"PutUser", "'f', ARGV[2], 'v'", "'f', version and redis.call('HMGET', key, 'f')[1] or ARGV[2], 'v'"},
	"revoke forgets":                {"RevokeSession", "redis.call('HDEL', key, 's' .. id)", "redis.call('HEXISTS', key, 's' .. id)"},
	"revoke of all, keep revives":   {"RevokeUser", "s.id ~= ARGV[1] end)", "s.id ~= ARGV[1] end) if ARGV[1] ~= '' then redis.call('HSET', key, 's' .. ARGV[1], text(clock()) .. ' ' .. text(clock() + 240000) .. ' 60000 ') end"},
	"revoke of all, keep ignored":   {"RevokeUser", "return s.id ~= ARGV[1] end", "return true end"},
	"revoke of all ends none":       {"RevokeUser", "finish(clock(), function(s) return s.id ~= ARGV[1] end)", "#sessions(clock())"},
	"disable keeps sessions":        {"PutUser", "finish(now, function() return true end)", ""},
	"older version applied":         {"PutUser", "tonumber(ARGV[3]) <= tonumber(version)", "ARGV[3] == version"},
	"same version applied":          {"PutUser", "tonumber(ARGV[3]) <= tonumber(version)", "tonumber(ARGV[3]) < tonumber(version)"},
	"newer version not applied":     {"PutUser", "tonumber(ARGV[3]) <= tonumber(version)", "true"},
	"disabled by sign-in keeps":     {"CreateSession", "finish(now, function() return true end)", ""},
	"older version by sign-in":      {"CreateSession", "tonumber(ARGV[3]) <= tonumber(version)", "false"},
	"disabled user signs in":        {"CreateSession", "if string.sub(flags, 1, 1) ~= 'e' then", "if false then"},
	"cap evicts only one":           {"CreateSession", "for i = 1, #live - limit + 1 do", "for i = 1, math.min(1, #live - limit + 1) do"},
	"cap one more":                  {"CreateSession", "#live - limit + 1", "#live - limit"},
	"cap evicts the latest used":    {"CreateSession", "a.seen < b.seen", "a.seen > b.seen"},
	"cap counts what has expired":   {"CreateSession", "if not s.live then", "if false then"},
	"cap refuses no sign-in":        {"CreateSession", "if refuse and #live >= limit then", "if false then"},
	"cap refuses one late":          {"CreateSession", "#live >= limit", "#live > limit"},
	"cap refuses all":               {"CreateSession", "if refuse and", "if"},
	"replaced session counts":       {"CreateSession", "elseif s.id ~= replaced then", "else"},
	"replaced session ended":        {"CreateSession", "    live[#live + 1] = s\n", "    live[#live + 1] = s\n  else\n    remove(s.id)\n"},
	"expired counted as ended":      {"RevokeUser", "if s.live then n = n + 1 end", "n = n + 1"},
	"sign-in shortens TTL":          {"CreateSession", "lengthen(now, math.min(abs, now + idle))", "redis.call('PEXPIREAT', key, text(math.min(abs, now + idle)))"},
	"PutUser forgotten at once":     {"PutUser", "lengthen(now, now + window)", "if applied == 1 then redis.call('PEXPIREAT', key, text(now + 1000)) end"},
	"wrong version in what is kept": {"CreateSession", "flags, record, after = h[2], h[4],", "flags, after = h[2],"},
	"earlier token signs in":        {"CreateSession", "if after > 0 and token <= after then", "if false then"},
	"token of that time signs in":   {"CreateSession", "token <= after", "token < after"},
	"token refused after the limit": {"CreateSession", "token <= after", "token <= after and not (refuse and #sessions(now) >= limit)"},
	"token refused before disabled": {"CreateSession", "if string.sub(flags, 1, 1) ~= 'e' then", "if string.sub(flags, 1, 1) ~= 'e' and not (after > 0 and token <= after) then"},
	"token refused, user forgotten": {"CreateSession", "if not apply(", "if token <= tonumber(ARGV[5]) and tonumber(ARGV[5]) > 0 then return {4} end\nif not apply("},
	"older TokensAfter by sign-in":  {"CreateSession", "flags, record, after = h[2], h[4], tonumber(h[5] or 0)", "flags, record = h[2], h[4]"},
	"TokensAfter keeps sessions":    {"PutUser", "return issued(s.record) <= newAfter", "return false"},
	"TokensAfter keeps one":         {"PutUser", "issued(s.record) <= newAfter", "issued(s.record) < newAfter"},
	"TokensAfter ends all":          {"PutUser", "return issued(s.record) <= newAfter", "return true"},
	"token without a time is new":   {"PutUser", "created - age or 0", "created - age or 1e15"},
	"TokensAfter by sign-in keeps":  {"CreateSession", "return issued(s.record) <= newAfter", "return false"},
	"TokensAfter not kept":          {"PutUser", "redis.call('HSET', key, 'a', ARGV[5])", ""},
	"TokensAfter by sign-in lost":   {"CreateSession", "redis.call('HSET', key, 'a', ARGV[5])", ""},
	"kind not kept":                 {"CreateSession", "' ' .. device", "' ' .. string.gsub(device, '\\30k%d+', '')"},
	"public ID not kept":            {"CreateSession", "' ' .. device", "' ' .. string.gsub(device, '\\30p[^\\30]*', '')"},
	"label not kept":                {"CreateSession", "' ' .. device", "' ' .. string.gsub(device, '\\30l[^\\30]*', '')"},
	"label cut":                     {"CreateSession", "' ' .. device", "' ' .. string.gsub(device, '(\\30l..)[^\\30]*', '%1')"},
	"kind not answered":             {"CheckSession", "' ' .. session\n", "' ' .. string.gsub(session, '\\30k%d+', '')\n"},
	"public ID not answered":        {"CheckSession", "' ' .. session\n", "' ' .. string.gsub(session, '\\30p[^\\30]*', '')\n"},
	"data wrong":                    {"PutUser", "'p', ARGV[4]", "'p', (string.gsub(ARGV[4], 'data ', 'date '))"},
	"data by sign-in wrong":         {"CreateSession", "'p', ARGV[4]", "'p', (string.gsub(ARGV[4], 'data ', 'date '))"},
	"binding not answered":          {"CheckSession", "return binding and {answer, binding} or answer", "return answer"},
	"binding not sent with a user":  {"CheckSession", "{answer, binding or '', f, record}", "{answer, '', f, record}"},
	"binds what has ended":          {"SwapBinding", "if not (h[1] and h[2]) then return 0 end", "if not h[1] then return 0 end\nh[2] = h[2] or text(now) .. ' ' .. text(now + 1) .. ' 1 '"},
	"binds after the end":           {"SwapBinding", "now >= abs or", ""},
	"binds after the timeout":       {"SwapBinding", "or now >= tonumber(h[3] or created) + idle then", "then"},
	"binds at the timeout":          {"SwapBinding", "now >= tonumber(", "now > tonumber("},
	"binds without a look at uses":  {"SwapBinding", "tonumber(h[3] or created)", "created"},
	"binding overwritten":           {"SwapBinding", "if binding ~= old then return 2 end", ""},
	"binding overwritten if any":    {"SwapBinding", "if binding ~= old then", "if binding ~= old and old ~= '' then"},
	"binding set only once":         {"SwapBinding", "redis.call('HSET', key, 'b' .. id, next)", "redis.call('HSETNX', key, 'b' .. id, next)"},
	"binding not set":               {"SwapBinding", "redis.call('HSET', key, 'b' .. id, next)", ""},
	"binding not removed":           {"SwapBinding", "redis.call('HDEL', key, 'b' .. id)", ""},
	"repeated swap refused":         {"SwapBinding", "if binding == next then", "if binding == next and old == binding then"},
	"swap is a use":                 {"SwapBinding", "redis.call('HSET', key, 'b' .. id, next)", "redis.call('HSET', key, 'b' .. id, next, 't' .. id, text(now))"},
	"swap of every session":         {"SwapBinding", "redis.call('HSET', key, 'b' .. id, next)", "for _, s in ipairs(sessions(now)) do redis.call('HSET', key, 'b' .. s.id, next) end"},
	"token's time not kept":         {"CreateSession", "if token > 0 then written", "if false then written"},
	"token's time wrong":            {"CreateSession", "text(now - token)", "text(token)"},
}

// scriptMarks has for each script a text that no other script contains.
var scriptMarks = map[string]string{
	"CheckSession":  "local id, known, t, h = ARGV[1]",
	"CreateSession": "local user, id, token = ",
	"RevokeSession": "local id = ARGV[1]\nlocal n =",
	"RevokeUser":    "local n = finish(clock()",
	"PutUser":       "local user, window =",
	"SwapBinding":   "local id, old, next =",
}

// The machine finds each mutant within as many tries as TestMachine has.
func TestMachineKillsMutants(t *testing.T) {
	for name, mutant := range scriptMutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				changed := false
				m := miniMachine(t, newRewriter(func(text string) string {
					if !strings.Contains(text, scriptMarks[mutant.script]) {
						return text
					}
					changed = true
					require.Equal(t, 1, strings.Count(text, mutant.old), "in %s", mutant.script)
					return strings.Replace(text, mutant.old, mutant.new, 1)
				}))
				var err error
				for try := 0; try < 100 && err == nil; try++ {
					err = m.run(t.Context(), actions().Example(try))
				}
				require.True(t, changed)
				require.Error(t, err, "the mutant lives")
				record("miniredis", "mutants killed by the machine", 1)
			})
		})
	}
}
