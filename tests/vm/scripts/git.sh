git init -q r
cd r
git config user.email a@b
git config user.name n
echo x >f
git add f
git commit -qm one
echo y >>f
git commit -qam two
git log --oneline | wc -l
git checkout -qb side
git diff HEAD~1
git gc -q
cd ..
git clone -q r c
cd c
git status -s
git push -q origin HEAD:refs/heads/new
