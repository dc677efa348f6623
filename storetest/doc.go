// Package storetest checks stores against the contracts of
// [googlesession.SessionStore] and [googlesession.UserStore].
//
// [TestSessions] and [TestUsers] are the suites. A store that passes them needs no other
// tests of the contract, except of its durability, because the suites stop no server. Each
// rule is a subtest, and a failure says what the store answered, what it should have
// answered, and the rule in words. The example is a whole store that passes both suites,
// and docs/writing-a-store.md is a guide.
//
// # How to use
//
// Call the suites from a test of your store:
//
//	func TestMyStore(t *testing.T) {
//		storetest.TestSessions(t, storetest.SessionSuite{
//			Open:    func(tb testing.TB) googlesession.SessionStore { return open(tb) },
//			Advance: clock.Advance,
//		})
//	}
//
// Open returns a handle on the store's data, with connections of its own. The suite opens
// two handles for each rule and expects them to behave as two servers.
//
// Advance moves the clock by which the store decides. If it is nil, the suite waits until
// its sessions, which live for fractions of a second, have expired.
//
// Run wraps each rule, to give it data of its own or a bubble of testing/synctest. In a
// bubble, time.Sleep is the Advance. Only a store in the test's own process can run in a
// bubble.
//
// Run the suites with -race, because a data race need not break a rule. The lists below
// have the name of each rule and what must hold.
//
// # Could not measure
//
// Some rules look at a session shortly before it expires. If the machine or the store is
// slow, the session may have expired before the look. Such a rule repeats itself with
// sessions that live longer. If these expire too early as well, the rule fails with
// "could not measure". This is the one failure that says nothing about the store. Run
// the suite on a quieter machine, or set Advance.
//
// # Rules of TestSessions
//
//   - round trip: CreateSession, CheckSession and Sessions return the fields that were given, and times in
//     UTC and whole milliseconds.
//   - device in lists: Sessions returns the Device of each session, and CheckSession returns an empty one.
//   - longest record: a user ID of 255 bytes, a profile of 2 KiB, an IP of 64 bytes, a user agent of 512
//     bytes and a lifetime of 100 years come back complete.
//   - newest first: Sessions returns the newest session first, by CreatedAt, whichever was used last.
//   - idle timeout: a session is admitted until IdleTimeout after its last recorded use, and refused from
//     that instant on.
//   - absolute timeout: a session is admitted until MaxLifetime after its creation, however often it is
//     used, and refused from that instant on.
//   - lifetime not positive: CreateSession with a MaxLifetime or IdleTimeout of zero or less makes no live
//     session.
//   - expired sessions: Sessions does not return an expired session, and RevokeUser does not count it.
//   - use recorded when due: CheckSession records the use, at the store's time, if the last recorded use is
//     touchAfter or more ago, and so postpones the idle timeout.
//   - use not recorded before due: CheckSession records nothing if the last recorded use is less than
//     touchAfter ago.
//   - use recorded at half the idle timeout: CheckSession records the use, however long touchAfter is, if
//     the last recorded use is half of IdleTimeout or more ago, so that a session that is used again and
//     again does not expire.
//   - use not recorded before half the idle timeout: CheckSession records nothing if the last recorded use
//     is less than touchAfter and less than half of IdleTimeout ago.
//   - NeverTouch: CheckSession with NeverTouch records nothing, however long the session has not been used.
//   - SeenAt never goes back: no check moves SeenAt to an earlier time.
//   - Touched: Touched is true in the result of a check that has recorded the use, and in no other result.
//   - MaxLifetime is not extended: recording a use never moves ExpiresAt past CreatedAt plus MaxLifetime.
//   - user IDs that differ in case: user IDs that differ only in case are different users.
//   - user IDs that differ in blanks: user IDs that differ only in trailing blanks are different users.
//   - unusual user IDs: a user ID is any valid UTF-8 without NUL, is compared byte by byte, and is never a
//     pattern.
//   - invalid users: CreateSession and PutUser refuse a user whose ID is empty, longer than 255 bytes, not
//     valid UTF-8 or contains NUL, or whose Version is not between 1 and 2^53-1, and such an ID has no
//     sessions.
//   - unknown Ref: CheckSession of a Ref that was never created returns ErrNoSession, and RevokeSession
//     returns false.
//   - tag of another user: a Ref whose Tag is not the tag of the session's user finds no session and keeps
//     none, and CreateSession refuses it.
//   - Ref in use: CreateSession with the Ref of a live session returns ErrExists and changes nothing, not
//     even the User.
//   - no shared memory: the arguments and results of the store share no memory with its data.
//   - second handle: a change made through one handle is seen through another one at once.
//   - done context: a call that begins with a done context changes nothing, and its error wraps the
//     context's error and ErrUnavailable.
//   - invalid texts: CreateSession and PutUser refuse a User or Device with a text that is not valid UTF-8,
//     contains NUL or is longer than documented, and change nothing.
//   - invalid times: CreateSession and PutUser refuse a TokenIssuedAt or TokensAfter that is neither zero
//     nor between the beginning of 1970 and the year 10000, and change nothing.
//   - errors hold no arguments: the text of an error holds no user ID, profile, Device or Ref of the call.
//   - revoke one session: RevokeSession ends the session and no other, at once and on every handle.
//   - revoke again: RevokeSession returns true if the call has ended the session, false if the session had
//     ended before, and never an error.
//   - revoke an expired session: RevokeSession of an expired session returns no error, and RevokeUser does
//     not count it.
//   - use after the end: a use of an ended session is refused and does not bring the session back.
//   - Ref of an ended session: CreateSession with the Ref of an ended session returns ErrExists and admits
//     nothing, or makes a new session that has nothing of the old one.
//   - revoke a user: RevokeUser ends all sessions of the user, at once and on every handle, and returns how
//     many were live.
//   - other users stay signed in: ending the sessions of one user does not change those of another.
//   - unknown user: for an unknown user, RevokeUser returns 0 and no error, with and without keep, and
//     Sessions returns an empty list.
//   - keep one session: RevokeUser ends all sessions of the user except keep, and does not change that one.
//   - keep an ended session: RevokeUser with a keep that is not live keeps no session and brings none back.
//   - keep another user's session: RevokeUser with a keep of another user keeps no session, and does not
//     change the other user's.
//   - user versions: PutUser applies a User if its Version is greater than the one known, and otherwise
//     returns false and changes nothing.
//   - user fields: all sessions of the user, the older ones too, return every field of the newest User.
//   - versions are numbers: Versions are compared as whole numbers up to 2^53-1.
//   - versions of other users: PutUser of one user changes nothing of another.
//   - newer user at sign-in: CreateSession applies a newer User, for all sessions of the user.
//   - older user at sign-in: CreateSession does not apply an older User, and the new session has the newest
//     one.
//   - disable: a disabled User ends all sessions of the user, at once and on every handle.
//   - enable: enabling a user brings no session back, and a new sign-in is admitted.
//   - enabled at sign-in: a sign-in with a newer, enabled User is admitted, and brings no session back.
//   - disabled at sign-in: a sign-in with a newer, disabled User returns ErrUserDisabled, and ends the
//     user's sessions for good.
//   - sign-in overtaken by disable: a sign-in that read its User before the user was disabled returns
//     ErrUserDisabled, at every attempt.
//   - user without sessions: the store remembers a User from PutUser for SignInWindow, even if the user has
//     no session.
//   - user outlives sessions: the store remembers a User from PutUser for SignInWindow, even if the last
//     session was revoked or has expired.
//   - token times: CreateSession, CheckSession and Sessions return TokenIssuedAt and TokensAfter in UTC, to
//     the millisecond, and zero as zero.
//   - stale token: a sign-in whose token was issued at or before TokensAfter, or at the zero time, returns
//     ErrStaleToken and creates nothing.
//   - user of a stale sign-in: a sign-in with a stale token applies a newer User, and the store remembers
//     it for SignInWindow.
//   - order of refusals: a disabled user gets ErrUserDisabled even with a stale token, and a stale token
//     gets ErrStaleToken even over the limit and ends no session.
//   - later TokensAfter: PutUser with a later TokensAfter ends the sessions of tokens issued at or before
//     it or at the zero time, at once and for good, and no others.
//   - later TokensAfter at sign-in: CreateSession with a later TokensAfter ends the sessions of tokens that
//     it refuses, and no others.
//   - older TokensAfter: the TokensAfter of a User that is not newer refuses no token and ends no session.
//   - TokensAfter without sessions: the store remembers a TokensAfter from PutUser for SignInWindow, even
//     if the user has no session.
//   - cap: a user has as many sessions as the cap allows, and each further sign-in ends exactly one of them
//     and is live itself.
//   - cap ends the least recently seen: a sign-in at the cap ends the least recently seen session, not the
//     one created first.
//   - cap and expired sessions: expired sessions do not count towards the cap, and no live session ends
//     while there is an expired one.
//   - cap and revoked sessions: revoked sessions do not count towards the cap.
//   - cap of each user: the sessions of one user do not count towards the cap of another.
//   - refused sign-in at the cap: a sign-in that is refused ends no session to make room.
//   - Max: a sign-in ends the least recently seen sessions until Max are left, counting its own, and the
//     next sign-in may have another Max.
//   - Max over the cap: a Max of zero and a Max over the store's cap mean the cap.
//   - negative Max: CreateSession with a negative Max returns an error that wraps ErrUnavailable, and
//     changes nothing.
//   - RefuseOverMax: a sign-in with RefuseOverMax that is over the limit returns ErrTooManySessions,
//     creates no session and ends none.
//   - RefuseOverMax and expired sessions: expired sessions do not count towards the limit of a sign-in with
//     RefuseOverMax.
//   - user of a sign-in over Max: a sign-in refused over the limit applies a newer User, which the store
//     remembers for SignInWindow, and returns ErrUserDisabled if that User is disabled.
//   - replaced session: the session that a sign-in replaces does not count towards the limit, and is not
//     ended.
//   - nothing to replace: a Replaces that is not live, or whose Tag is not the user's, is treated as nil.
//   - Max during sign-ins: many sign-ins at once keep to Max, and the session that they replace does not
//     count.
//   - RefuseOverMax during sign-ins: of many sign-ins at once with RefuseOverMax, as many succeed as there
//     is room for.
//   - revoke during uses: once RevokeSession has returned, no check that starts later admits the session,
//     whatever calls were in flight.
//   - revoke user during uses: once RevokeUser has returned, no check that starts later admits a session
//     that it ended.
//   - disable during uses: once PutUser of a disabled User has returned, no check that starts later admits
//     a session of the user.
//   - cap during uses: uses in flight do not bring back a session that a sign-in has ended to make room.
//   - uses at once: of many checks at once, one records the use, and another one only if it is touchAfter
//     later.
//   - revoke at once: of many calls of RevokeSession at once, exactly one returns true.
//   - revoke user during sign-ins: each session is either ended and counted by RevokeUser, or live.
//   - disable during sign-ins: a disabled User, from PutUser or from a sign-in, wins against every sign-in
//     in flight with an older version.
//   - sign-ins at once with one Ref: of many calls of CreateSession at once with one Ref, exactly one
//     succeeds.
//   - cap during sign-ins: many sign-ins at once keep to the cap.
//   - versions at once: of many versions of a User that are put at once, the newest wins.
//   - disable among versions at once: of many versions that are put at once, a disabled one ends the
//     sessions if and only if it is applied.
//   - tokens refused during sign-ins: a later TokensAfter wins against every sign-in in flight whose token
//     it refuses, and against no other.
//   - tokens refused during uses: no check returns a session together with a User who refuses the session's
//     token.
//
// # Rules of TestUsers
//
//   - first sign-in: the first SignIn of a subject makes an enabled user without rights, at the store's
//     time.
//   - later sign-in: a later SignIn refreshes the profile and SeenAt, raises Version, and keeps CreatedAt
//     and Admin.
//   - subject is the identity: only the subject identifies a user, because an e-mail address may change and
//     other users may have it.
//   - subjects that differ in a byte: subjects that differ in one byte are different users.
//   - invalid subjects: SignIn refuses a subject that is empty, longer than 255 bytes, not valid UTF-8 or
//     contains NUL, and stores nothing.
//   - longest user: a subject of 255 bytes and a user of 2 KiB in all come back complete.
//   - sign-in of a disabled user: SignIn of a disabled user returns the user unchanged, and no error.
//   - first sign-ins at once: many first sign-ins of one subject at once leave one user, and each returns
//     another Version.
//   - versions follow the clock: a new Version is at least the time in Unix milliseconds, and less than
//     2^53.
//   - done context in SignIn: SignIn with a done context changes nothing, and its error wraps the context's
//     error and ErrUnavailable.
//   - SetAccess: SetAccess sets the flags that are given, keeps all other fields, and raises Version if
//     that changes a flag.
//   - access on every handle: a flag that SetAccess has set is seen at once on every handle.
//   - access of other users: SetAccess of one user changes no other user.
//   - access of an unknown user: SetAccess of an unknown user returns ErrNotFound and makes no user.
//   - flags at once: two calls at once that set one flag each do not undo each other.
//   - access during sign-ins: a flag that is set while the user signs in stays set.
//   - done context in SetAccess: SetAccess with a done context changes nothing, and its error wraps the
//     context's error and ErrUnavailable.
//   - last administrator: demoting, disabling or deleting the last enabled administrator returns
//     ErrLastAdmin and changes nothing.
//   - disabled administrator: a disabled administrator does not count as an administrator, and can be
//     demoted and deleted.
//   - one of two administrators: either of two administrators can be demoted, disabled and deleted.
//   - deleted administrator: a deleted administrator does not count as an administrator.
//   - no administrator: while there is no enabled administrator, every user can be demoted, disabled and
//     deleted.
//   - administrators at once: however two administrators are demoted, disabled or deleted at once, one of
//     them is left.
//   - unknown user: User returns ErrNotFound for an unknown ID, an empty one and an invalid one.
//   - pages: Users returns every user once, in pages of any size, in byte order of ID, after the ID given.
//   - limit: Users returns as many users as there are, but at most limit, and for a limit of zero or less
//     an empty page and no error.
//   - empty page: after the last user, Users returns an empty page and no error.
//   - delete: User and Users find a deleted user on no handle, and the other users stay.
//   - delete an unknown user: DeleteUser of an unknown or deleted user returns ErrNotFound.
//   - access of a deleted user: SetAccess of a deleted user returns ErrNotFound.
//   - sign-in after delete: a subject that signs in after its deletion is a new, enabled user without
//     rights, with a greater Version.
//   - users are kept: a user keeps all fields for longer than TokenWindow, Disabled and Admin too, without
//     sessions and while other users sign in and are put.
//   - no shared memory: the results of Users share no memory with the store.
//   - done context in reading and deleting: User, Users and DeleteUser with a done context change nothing,
//     and their errors wrap the context's error and ErrUnavailable.
//   - RefuseTokens: RefuseTokens raises TokensAfter, rounded up to whole milliseconds, and Version, also of
//     a disabled user, and keeps all other fields.
//   - RefuseTokens again: RefuseTokens with an earlier time, the same time or the zero time changes
//     nothing, not even Version.
//   - stale token: SignIn with a token that was issued at or before TokensAfter, or at the zero time,
//     returns ErrStaleToken and changes nothing.
//   - TokensAfter is kept: SignIn and SetAccess keep TokensAfter.
//   - RefuseTokens of an unknown user: RefuseTokens of an unknown user returns ErrNotFound and makes no
//     user, and an earlier token makes none afterwards.
//   - RefuseTokens of a deleted user: RefuseTokens of a deleted user returns ErrNotFound, and can refuse
//     tokens from after the deletion.
//   - earlier tokens after delete: no token from before the deletion brings the user back, and a newer one
//     makes a new user, who keeps TokensAfter.
//   - delete keeps TokensAfter: DeleteUser does not lower TokensAfter.
//   - TokenWindow: earlier tokens of a user who was deleted or has never signed in are refused for
//     TokenWindow, in which User and Users do not find the user.
//   - delete during SignIn: once DeleteUser has returned, no SignIn in flight with an earlier token has
//     brought the user back.
//   - RefuseTokens at once: of many calls of RefuseTokens at once the latest time counts, and no flag that
//     is set at the same time is lost.
//   - done context in RefuseTokens: RefuseTokens with a done context changes nothing, and its error wraps
//     the context's error and ErrUnavailable.
//   - invalid profiles: SignIn refuses a text that is not valid UTF-8 or contains NUL, more than 2 KiB in
//     all, and a token time that is neither zero nor between the beginning of 1970 and the year 10000, and
//     changes nothing.
//   - invalid times of tokens: RefuseTokens refuses a time that is neither zero nor between the beginning
//     of 1970 and the year 10000, and changes nothing.
//   - errors hold no arguments: the text of an error holds no user ID and no profile of the call.
//   - sessions of a disabled user: SetAccess with Disabled ends the user's sessions, at once and for good,
//     and no other user's.
//   - sessions of a deleted user: DeleteUser ends the user's sessions, at once and for good, and no other
//     user's.
//   - refused change ends no session: SetAccess and DeleteUser end no session if they return ErrLastAdmin.
//   - sign-in overtaken by disable: a sign-in that read its user before the user was disabled returns
//     ErrUserDisabled.
//   - sign-in overtaken by delete: a sign-in that read its user before the deletion returns
//     ErrUserDisabled, and does not bring the user back.
//   - access in checks: the next check of every session returns the flags that SetAccess has set.
//   - profile in checks: the next check of every session returns the profile of the latest sign-in.
//   - PutUser keeps access: PutUser of the User that SetAccess or SignIn returned changes nothing, because
//     the store knows that Version.
//   - new user with an old ID: the sessions of a deleted user stay ended when the subject signs in anew,
//     and a new session is admitted.
//   - disable during CreateSession: once SetAccess with Disabled has returned, no CreateSession in flight
//     makes a live session.
//   - delete during CreateSession: once DeleteUser has returned, no CreateSession in flight makes a live
//     session.
//   - sessions of refused tokens: RefuseTokens ends the user's sessions of the tokens that it refuses, at
//     once and for good, and no others, and a sign-in that read its user before returns ErrStaleToken.
//   - delete during whole sign-ins: once DeleteUser has returned, no sign-in in flight with an earlier
//     token has brought the user back or makes a live session.
//   - RefuseTokens during whole sign-ins: once RefuseTokens has returned, no sign-in in flight with a token
//     that it refuses makes a live session.
//   - PutUser makes no user: a User that PutUser brings, also after DeleteUser, is for sessions only, so no
//     method of UserStore finds the user, and the next SignIn is the first.
//   - no next Version: if the next Version would be 2^53, SignIn, SetAccess, RefuseTokens and DeleteUser
//     return ErrUnavailable and change nothing, and the user's sessions can still be ended.
//   - administrator from PutUser: a User that only PutUser brought, also after DeleteUser, does not count
//     as an administrator.
//   - TokensAfter from PutUser: the first SignIn of a user that PutUser brought takes over the later
//     TokensAfter of PutUser's and the one that DeleteUser or RefuseTokens left.
//   - disabled by PutUser: the first SignIn of a user that PutUser brought as disabled, also after
//     DeleteUser, makes an enabled user without rights.
package storetest
