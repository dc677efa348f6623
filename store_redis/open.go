package redisstore

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	readTimeout = time.Second
	retries     = 1
)

// Open returns a client with settings that suit [New]. The client observes the deadline of
// a call's context, waits at most 1 s for an answer, and if none comes sends the command
// once more. The URL parameters read_timeout and max_retries change the wait and the number
// of repetitions. Open does no I/O. The caller closes the client.
//
//	redis://user:password@host:6379/0                               one server
//	redis+cluster://host1:6379?addr=host2:6379                      Cluster
//	redis+sentinel://host1:26379?addr=host2:26379&master_name=main  Sentinel
//
// With rediss in place of redis the client uses TLS. A redis or rediss URL that has an addr
// parameter means a Cluster too. [redis.ParseURL], [redis.ParseClusterURL] and
// [redis.ParseFailoverURL] list the other parameters.
//
// Open returns an error if the URL is malformed or has an unknown parameter. The error
// does not contain the password.
func Open(url string) (redis.UniversalClient, error) {
	client, err := open(url)
	if err != nil {
		return nil, fmt.Errorf("redisstore: opening a Redis URL: %w", err)
	}
	return client, nil
}

func open(address string) (redis.UniversalClient, error) {
	if err := checkURL(address); err != nil {
		return nil, err
	}
	scheme, rest, _ := strings.Cut(address, "://")
	base, kind, _ := strings.Cut(scheme, "+")
	if _, query, _ := strings.Cut(rest, "?"); kind == "" && strings.Contains("&"+query, "&addr=") {
		kind = "cluster"
	}
	plain := base + "://" + rest
	switch kind {
	case "":
		o, err := redis.ParseURL(plain)
		if err != nil {
			return nil, err
		}
		o.ContextTimeoutEnabled = true
		o.ReadTimeout, o.MaxRetries = cmp.Or(o.ReadTimeout, readTimeout), cmp.Or(o.MaxRetries, retries)
		return redis.NewClient(o), nil
	case "cluster":
		o, err := redis.ParseClusterURL(plain)
		if err != nil {
			return nil, err
		}
		o.ContextTimeoutEnabled = true
		o.ReadTimeout, o.MaxRetries = cmp.Or(o.ReadTimeout, readTimeout), cmp.Or(o.MaxRetries, retries)
		return redis.NewClusterClient(o), nil
	case "sentinel":
		o, err := redis.ParseFailoverURL(plain)
		if err != nil {
			return nil, err
		}
		if o.MasterName == "" {
			return nil, errors.New("master_name is missing")
		}
		o.ContextTimeoutEnabled = true
		o.ReadTimeout, o.MaxRetries = cmp.Or(o.ReadTimeout, readTimeout), cmp.Or(o.MaxRetries, retries)
		return redis.NewFailoverClient(o), nil
	default:
		return nil, errors.New("unknown scheme")
	}
}

// checkURL refuses each URL for which the error of go-redis's parser would contain the
// password or a part of the password.
func checkURL(address string) error {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		return errors.New("the scheme is missing")
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	if strings.Contains(rest[len(authority):], "@") {
		return errors.New("@ after the host; in a password / ? and # have to be percent-encoded")
	}
	if _, err := url.Parse(address); err != nil {
		return errors.New("not a well-formed URL") // err is dropped, because it repeats the URL
	}
	return nil
}
