package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type customerList struct {
	Description string
	Results     []customer
	Total       int64
	Page        int64
	Pages       int64
}

func (l customerList) ids() []int64 {
	ids := []int64{}
	for _, c := range l.Results {
		ids = append(ids, c.ID)
	}
	return ids
}

// customers returns the list with these parameters.
func (s *site) customers(query string) (l customerList) {
	s.t.Helper()
	res := s.get(s.t, s.admin, "/api/customer"+query)
	require.Equal(s.t, http.StatusOK, res.status, "%s: %s", query, res.body)
	require.NoError(s.t, json.Unmarshal([]byte(res.body), &l), res.body)
	return l
}

// The search finds a part of the name or of the address. It ignores case in every script and
// takes each character of SQL's patterns for itself.
func TestSearchCustomers(t *testing.T) {
	rows := []customer{
		{Name: "100% Örtlich", Email: "oertlich@example.com"}, // 21
		{Name: "under_score", Email: "u_s@example.com"},       // 22
		{Name: `back\slash!`, Email: "back@example.com"},      // 23
		{Name: "ΣΊΣΥΦΟΣ", Email: "sisyphos@example.com"},      // 24
		{Name: "Дмитро", Email: "UPPER@EXAMPLE.NET"},          // 25
		{Name: "İlker Yıldız", Email: "ilker@example.com"},    // 26
		{Name: "O'Hara; DROP", Email: "o'hara@example.com"},   // 27
		{Name: "👩🏽‍🚀 astronaut", Email: "space@example.com"},  // 28
		{Name: "Ⱥlpha", Email: "alpha@example.com"},           // 29, whose lower case is longer in UTF-8
	}
	tests := []struct {
		q    string
		want []int64
	}{
		{"lind", []int64{1}},
		{"LINDQVIST", []int64{1}},
		{"örtlich", []int64{21}},
		{"ÖRTLICH", []int64{21}},
		{"ortlich", []int64{}},
		{"%", []int64{21}},
		{"0%", []int64{21}},
		{"_", []int64{22}},
		{"r_s", []int64{22}},
		{`\`, []int64{23}},
		{`k\s`, []int64{23}},
		{"!", []int64{23}},
		{"h!", []int64{23}},
		{"σίσυφος", []int64{24}},
		{"σίσυφοσ", []int64{24}},
		{"ДМИТРО", []int64{25}},
		{"upper@example.net", []int64{25}},
		{"ilker YILDIZ", []int64{26}},
		{"o'hara; drop", []int64{27}},
		{"👩🏽‍🚀", []int64{28}},
		{"ⱥLPHA", []int64{29}},
		{"山田", []int64{20}},
		{"lindqvist ", []int64{}},
		{"ada lindqvist\u00a0", []int64{}},
		{"\u200b", []int64{}},
		{strings.Repeat("x", 254), []int64{}},
	}
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			require.NoError(t, s.stores.customers.Fill(t.Context(), rows))
			for _, tt := range tests {
				list := s.customers("?q=" + url.QueryEscape(tt.q))
				require.Equal(t, tt.want, list.ids(), "?q=%s", tt.q)
				require.Equal(t, int64(len(tt.want)), list.Total)
				require.Equal(t, int64(1), list.Pages)
			}
			require.Equal(t, int64(29), s.customers("?q=").Total)
			require.Equal(t, []int64{25}, s.customers("?q=example.net&sort=-email&page=1&limit=1").ids())
		})
	}
}

// Every order has each customer once, and the reverse order is the exact reverse.
func TestSortCustomers(t *testing.T) {
	rows := []customer{
		{Name: "same", Email: "Z@example.com"},
		{Name: "SAME", Email: "b@example.com"},
		{Name: "Same", Email: "A@example.com"},
		{Name: "sam", Email: "same@example.com"},
		{Name: "éa", Email: "SAME@example.com"},
		{Name: "一", Email: "a-b@example.com"},
		{Name: "🦊", Email: "aB@example.com"},
		{Name: "\ufb01x", Email: "ab@example.com"},
		{Name: "_", Email: "a_b@example.com"},
	}
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			require.NoError(t, s.stores.customers.Fill(t.Context(), rows))
			require.Equal(t, []int64{1, 2, 3}, s.customers("?limit=3").ids())
			require.Equal(t, []int64{29, 28, 27}, s.customers("?sort=-id&limit=3").ids())
			require.Equal(t, []int64{24, 21, 22, 23, 25}, s.customers("?sort=name&q=sam").ids(), "equal names by ID")
			require.Equal(t, []int64{29, 1}, s.customers("?sort=name&limit=2").ids())
			require.Equal(t, []int64{25, 26, 28, 27}, s.customers("?sort=name&page=2&limit=25").ids(), "by code point")
			require.Equal(t, []int64{26, 23, 29, 27, 28, 1}, s.customers("?sort=email&limit=6").ids())
			for _, field := range []string{"id", "name", "email"} {
				forward, backward := s.customers("?sort="+field), s.customers("?sort=-"+field)
				slices.Reverse(backward.Results)
				require.Equal(t, forward.Results, backward.Results, "?sort=-%s", field)
				var paged []int64
				for page := range "....." {
					l := s.customers("?sort=" + field + "&limit=7&page=" + toJSON(t, page+1))
					require.Equal(t, []int64{29, int64(page) + 1, 5}, []int64{l.Total, l.Page, l.Pages})
					paged = append(paged, l.ids()...)
				}
				require.Equal(t, forward.ids(), paged)
			}
		})
	}
}

// A page behind the last one is empty. A parameter that would have no effect is refused.
func TestCustomerPages(t *testing.T) {
	s := newSite(t, "-db", "memory")
	for query, want := range map[string][]int64{ // results, total, page, pages
		"":                           {20, 20, 1, 1},
		"?limit=20":                  {20, 20, 1, 1},
		"?limit=19&page=2":           {1, 20, 2, 2},
		"?limit=200":                 {20, 20, 1, 1},
		"?page=2":                    {0, 20, 2, 1},
		"?page=1000000000&limit=200": {0, 20, 1000000000, 1},
		"?q=nothing":                 {0, 0, 1, 1},
		"?q=&limit=":                 {20, 20, 1, 1},
	} {
		l := s.customers(query)
		require.Equal(t, want, []int64{int64(len(l.Results)), l.Total, l.Page, l.Pages}, query)
		require.NotEmpty(t, l.Description)
	}
	for _, query := range []string{
		"limit=0", "limit=-1", "limit=201", "limit=x", "limit=1.5", "page=0", "page=-1", "page=x", "page=", "page=1000000001",
		"page=9223372036854775808", "sort=", "sort=age", "sort=--id", "sort=ID", "sort=id;name", "q=%00", "q=a%0ab", "q=%ff",
		"q=" + strings.Repeat("x", 255), "q=a&q=b", "page=1&page=1", "Q=a", "offset=1", "name=a", "%zz=1", "=", "order_by=id",
	} {
		res := s.get(t, s.admin, "/api/customer?"+query)
		require.Equal(t, http.StatusBadRequest, res.status, query)
		require.Equal(t, "bad_request", problemCode(t, res))
	}
}
