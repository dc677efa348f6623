package sqlstore_test

import (
	"context"
	"database/sql"
	"log"
	"os"
	"time"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// The program imports the driver: _ "github.com/jackc/pgx/v5/stdlib". One store serves as
// Sessions and as Users.
func Example() {
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Print(err)
		return
	}
	defer func() { _ = db.Close() }()
	store, err := sqlstore.New(db, sqlstore.PostgreSQL, nil)
	if err != nil {
		log.Print(err)
		return
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := store.Migrate(ctx); err != nil {
		log.Print(err)
		return
	}

	_, err = googlesession.New(googlesession.Config{Sessions: store})
	if err != nil {
		log.Print(err)
	}
}

// The program imports the driver: _ "modernc.org/sqlite". The settings are in the data
// source name, because every connection of the pool needs them.
func ExampleNew_sqlite() {
	db, err := sql.Open("sqlite", "file:app.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)"+
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate")
	if err != nil {
		log.Print(err)
		return
	}
	db.SetMaxOpenConns(8)
	defer func() { _ = db.Close() }()
	store, err := sqlstore.New(db, sqlstore.SQLite, &sqlstore.Options{PerUser: 20})
	if err != nil {
		log.Print(err)
		return
	}
	if err := store.Migrate(context.Background()); err != nil {
		log.Print(err)
	}
}

// A program asks Doctor when it starts, and logs what an operator should change.
func ExampleStore_Doctor() {
	db, err := sql.Open("mysql", "app:secret@tcp(db.example.com:3306)/app?tls=true")
	if err != nil {
		log.Print(err)
		return
	}
	defer func() { _ = db.Close() }()
	store, err := sqlstore.New(db, sqlstore.MySQL, nil)
	if err != nil {
		log.Print(err)
		return
	}
	findings, err := store.Doctor(context.Background())
	if err != nil {
		log.Print(err)
		return
	}
	for _, f := range findings {
		log.Printf("database: severe %t: %s", f.Severe, f.Text)
	}
}
