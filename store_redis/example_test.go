package redisstore_test

import (
	"context"
	"log"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

// Sessions are in Redis, users in another store: here in memory, usually in a SQL database.
func ExampleNew() {
	client, err := redisstore.Open("redis://app:password@localhost:6379/0")
	if err != nil {
		log.Print(err)
		return
	}
	defer func() { _ = client.Close() }()
	sessions, err := redisstore.New(client, &redisstore.Options{PerUser: 20})
	if err != nil {
		log.Print(err)
		return
	}

	findings, err := sessions.Doctor(context.Background())
	if err != nil {
		log.Print(err)
		return
	}
	for _, f := range findings {
		log.Printf("redis: severe %t: %s", f.Severe, f.Text)
	}

	_, err = googlesession.New(googlesession.Config{Sessions: sessions, Users: memstore.New(nil)})
	if err != nil {
		log.Print(err)
	}
}
