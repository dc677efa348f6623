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

// Open returns a client with settings that suit [New]: it keeps to a context's
// deadline, waits at most 1 s for an answer and tries once more. Parameters in the
// URL overrule the latter two. The caller closes it.
//
//	redis://user:password@host:6379/0                     one server; rediss: with TLS
//	redis+cluster://host1:6379?addr=host2:6379            Cluster; rediss+cluster: with TLS
//	redis+sentinel://host1:26379?addr=host2:26379&master_name=main
//
// A redis: or rediss: URL with addr parameters is a Cluster too. [redis.ParseURL],
// [redis.ParseClusterURL] and [redis.ParseFailoverURL] list the parameters. No error
// holds a password.
func Open(url string) (redis.UniversalClient, error) {
	client, err := open(url)
	if err != nil {
		return nil, fmt.Errorf("redisstore: opening a URL of Redis: %w", err)
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

// checkURL refuses what the parsers would refuse with words that hold a password, or
// a part of it.
func checkURL(address string) error {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		return errors.New("no scheme")
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	if strings.Contains(rest[len(authority):], "@") {
		return errors.New("@ after the host: characters of a password such as / ? # have to be percent-encoded")
	}
	if _, err := url.Parse(address); err != nil {
		return errors.New("not well-formed") // its error repeats the URL
	}
	return nil
}
