mkdir -m 700 home
export GNUPGHOME=/work/home
gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key a@b ed25519 sign never 2>/dev/null
echo x | gpg --batch --sign >s
gpg --verify -q s 2>/dev/null || gpg -d s
gpg --list-keys >/dev/null
gpgconf --kill all
