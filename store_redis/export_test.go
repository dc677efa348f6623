package redisstore

var (
	EncodeUser   = encodeUser
	DecodeUser   = decodeUser
	EncodeDevice = encodeDevice
	DecodeDevice = decodeDevice
	CutNumber    = cutNumber
	CutToken     = cutToken
)
