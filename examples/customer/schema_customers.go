package main

import sqlstore "github.com/googlesession/googlesession/store_sql"

// customerKeys adds to the table customers what searches and orders need. The keys are what
// foldCase returns, and are compared as bytes. An ID orders customers with equal keys.
// request_key is NULL if the client sent no Idempotency-Key.
func customerKeys() migration {
	return migration{
		alter: map[sqlstore.Dialect]alteration{
			sqlstore.SQLite: {statements: []string{
				`ALTER TABLE customers ADD COLUMN name_key TEXT NOT NULL DEFAULT ''`,
				`ALTER TABLE customers ADD COLUMN email_key TEXT NOT NULL DEFAULT ''`,
				`ALTER TABLE customers ADD COLUMN request_key TEXT`,
				`CREATE INDEX customers_name_key ON customers (name_key, id)`,
				`CREATE INDEX customers_email_key ON customers (email_key, id)`,
				`CREATE UNIQUE INDEX customers_request_key ON customers (request_key)`,
			}},
			sqlstore.PostgreSQL: {statements: []string{
				`ALTER TABLE customers
					ADD COLUMN name_key TEXT COLLATE "C" NOT NULL DEFAULT '',
					ADD COLUMN email_key TEXT COLLATE "C" NOT NULL DEFAULT '',
					ADD COLUMN request_key TEXT COLLATE "C" UNIQUE`,
				`CREATE INDEX customers_name_key ON customers (name_key, id)`,
				`CREATE INDEX customers_email_key ON customers (email_key, id)`,
			}},
			sqlstore.MySQL: {
				done: `SELECT count(*) FROM information_schema.columns
					WHERE table_schema = database() AND table_name = 'customers' AND column_name = 'name_key'`,
				statements: []string{`ALTER TABLE customers
					ADD COLUMN name_key VARBINARY(400) NOT NULL DEFAULT '',
					ADD COLUMN email_key VARBINARY(1016) NOT NULL DEFAULT '',
					ADD COLUMN request_key VARBINARY(64) UNIQUE,
					ADD INDEX (name_key, id),
					ADD INDEX (email_key, id)`},
			},
		},
		fill: fillCustomerKeys,
	}
}
