package redisstore

var (
	EncodeUser   = encodeUser
	DecodeUser   = decodeUser
	EncodeDevice = encodeDevice
	DecodeDevice = decodeDevice
	CutNumbers   = cutNumbers
	CutToken     = cutToken
)

// LastWordCode is the control character of the last user agent word.
const LastWordCode = packedMark + len(userAgentWords)

// TokenMark is the control character before a token's age.
const TokenMark = tokenMark
