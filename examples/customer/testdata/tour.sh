demo=${1:-http://localhost:8080/?key=AS-PRINTED}

base=${demo%/?key=*}
curl -s -c jar -o page "$demo"
nonce=$(curl -s -b jar -c jar $base/api/login | sed 's/.*"nonce":"\([^"]*\)".*/\1/')
curl -s -b jar --json '{"email":"ada@example.com","nonce":"'$nonce'"}' $base/demo/token > token.json
curl -s -b jar -c jar --json @token.json $base/api/login
curl -s -b jar $base/api/user
curl -s -b jar $base/api/customer
cp jar stolen
curl -s -b jar -c jar -X POST $base/api/logout
curl -s -b stolen $base/api/user
