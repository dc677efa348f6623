package redisstore

var (
	EncodeUser = encodeUser
	DecodeUser = decodeUser
)
