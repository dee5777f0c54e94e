# quick
seq 30 >n
sed -i 's/1/x/;/2/d' n
sed -n '3,5p' n
awk '{s+=$1} END{print s > "sum"}' n
mawk 'BEGIN{while(("date"|getline l)>0)n++}'
