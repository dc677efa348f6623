package main

// seed returns the customers of a new database. The names are invented, and mail to
// example.com reaches no person (RFC 2606).
func seed() []customer {
	return []customer{
		{Name: "Ada Lindqvist", Email: "ada.lindqvist@example.com"},
		{Name: "Benoît Carré", Email: "benoit.carre@example.com"},
		{Name: "Chiara Bellini", Email: "chiara.bellini@example.com"},
		{Name: "Diego Fuentes", Email: "diego.fuentes@example.com"},
		{Name: "Ebru Yıldız", Email: "ebru.yildiz@example.com"},
		{Name: "Femi Adeyemi", Email: "femi.adeyemi@example.com"},
		{Name: "Grace O’Neill", Email: "grace.oneill@example.com"},
		{Name: "Haruto Sato", Email: "haruto.sato@example.com"},
		{Name: "Ines Moreau", Email: "ines.moreau@example.com"},
		{Name: "Jan Kowalski", Email: "jan.kowalski@example.com"},
		{Name: "Kavya Raman", Email: "kavya.raman@example.com"},
		{Name: "Liam Murphy", Email: "liam.murphy@example.com"},
		{Name: "Mei Chen", Email: "mei.chen@example.com"},
		{Name: "Noah Weber", Email: "noah.weber@example.com"},
		{Name: "Olga Petrova", Email: "olga.petrova@example.com"},
		{Name: "Paulo Santos", Email: "paulo.santos@example.com"},
		{Name: "Qing Li", Email: "qing.li@example.com"},
		{Name: "Rosa Jiménez", Email: "rosa.jimenez@example.com"},
		{Name: "Søren Madsen", Email: "soren.madsen@example.com"},
		{Name: "Tomoko 山田", Email: "tomoko.yamada@example.com"},
	}
}
