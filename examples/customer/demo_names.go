package main

// invented returns the i-th invented name, and the same name in letters for an address. The
// names of neighbours are in different scripts, so that every page of a list has all of them.
func invented(i int) (name, address string) {
	p := peoples[i%len(peoples)]
	i /= len(peoples)
	given := p.given[i%len(p.given)]
	family := p.family[i/len(p.given)%len(p.family)]
	name = given[0] + p.between + family[0]
	if p.familyFirst {
		name = family[0] + p.between + given[0]
	}
	return name, given[1] + "." + family[1]
}

// A people has given names and family names, each as it is written and for an address.
type people struct {
	given, family [][2]string
	between       string
	familyFirst   bool
}

var peoples = []people{
	{
		given:   [][2]string{{"Alice", "alice"}, {"Oliver", "oliver"}, {"Sinéad", "sinead"}, {"Máté", "mate"}, {"Zoë", "zoe"}, {"Łukasz", "lukasz"}, {"Åsa", "asa"}},
		family:  [][2]string{{"O’Brien", "obrien"}, {"Świątek", "swiatek"}, {"Müller-Lüdenscheidt", "mueller"}, {"Novák", "novak"}, {"Ødegård", "odegard"}, {"de la Cruz", "delacruz"}},
		between: " ",
	},
	{
		given:   [][2]string{{"Анна", "anna"}, {"Дмитро", "dmytro"}, {"Ольга", "olha"}, {"Борис", "boris"}, {"Ганна", "hanna"}, {"Юрій", "yurii"}},
		family:  [][2]string{{"Коваленко", "kovalenko"}, {"Димитров", "dimitrov"}, {"Шевчук", "shevchuk"}, {"Иванова", "ivanova"}, {"Мельник", "melnyk"}},
		between: " ",
	},
	{
		given:   [][2]string{{"Ελένη", "eleni"}, {"Γιώργος", "giorgos"}, {"Σοφία", "sofia"}, {"Νίκος", "nikos"}, {"Αθηνά", "athina"}},
		family:  [][2]string{{"Παπαδοπούλου", "papadopoulou"}, {"Νικολάου", "nikolaou"}, {"Γεωργίου", "georgiou"}, {"Βασιλείου", "vasileiou"}},
		between: " ",
	},
	{
		given:   [][2]string{{"ليلى", "layla"}, {"يوسف", "yusuf"}, {"مريم", "maryam"}, {"عمر", "omar"}, {"نور", "nour"}, {"سلمى", "salma"}},
		family:  [][2]string{{"الحسن", "alhassan"}, {"حداد", "haddad"}, {"المصري", "almasri"}, {"منصور", "mansour"}, {"الخطيب", "alkhatib"}},
		between: " ",
	},
	{
		given:   [][2]string{{"נועה", "noa"}, {"איתן", "eitan"}, {"תמר", "tamar"}, {"יונתן", "yonatan"}, {"שירה", "shira"}},
		family:  [][2]string{{"כהן", "cohen"}, {"לוי", "levi"}, {"מזרחי", "mizrahi"}, {"פרידמן", "friedman"}},
		between: " ",
	},
	{
		given:   [][2]string{{"अनन्या", "ananya"}, {"रोहन", "rohan"}, {"काव्या", "kavya"}, {"अर्जुन", "arjun"}, {"मीरा", "meera"}},
		family:  [][2]string{{"शर्मा", "sharma"}, {"वर्मा", "verma"}, {"गुप्ता", "gupta"}, {"जोशी", "joshi"}},
		between: " ",
	},
	{
		given:   [][2]string{{"สมชาย", "somchai"}, {"มาลี", "mali"}, {"อารีย์", "aree"}, {"ชัยวัฒน์", "chaiwat"}},
		family:  [][2]string{{"ใจดี", "chaidee"}, {"แสงทอง", "saengthong"}, {"ศรีสุข", "srisuk"}},
		between: " ",
	},
	{
		given:       [][2]string{{"明", "ming"}, {"小红", "xiaohong"}, {"志强", "zhiqiang"}, {"丽华", "lihua"}, {"伟", "wei"}},
		family:      [][2]string{{"王", "wang"}, {"李", "li"}, {"欧阳", "ouyang"}, {"陈", "chen"}, {"赵", "zhao"}},
		familyFirst: true,
	},
	{
		given:       [][2]string{{"さくら", "sakura"}, {"健太", "kenta"}, {"ユキ", "yuki"}, {"美咲", "misaki"}, {"翔", "sho"}},
		family:      [][2]string{{"佐藤", "sato"}, {"高橋", "takahashi"}, {"渡辺", "watanabe"}, {"小林", "kobayashi"}},
		between:     " ",
		familyFirst: true,
	},
	{
		given:       [][2]string{{"지우", "jiwoo"}, {"민준", "minjun"}, {"서연", "seoyeon"}, {"하준", "hajun"}},
		family:      [][2]string{{"김", "kim"}, {"이", "lee"}, {"박", "park"}, {"최", "choi"}},
		familyFirst: true,
	},
	{
		given:   [][2]string{{"Nguyễn", "nguyen"}, {"Ayşe", "ayse"}, {"İlker", "ilker"}, {"Ọlá", "ola"}, {"Thị Ánh", "thianh"}},
		family:  [][2]string{{"Tuyết", "tuyet"}, {"Yıldırım", "yildirim"}, {"Adébáyọ̀", "adebayo"}, {"Şahin", "sahin"}},
		between: " ",
	},
}
