package token

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// repairPEM undoes what environment files do to PEM text: quotes around it, and
// line breaks written as \n. Other text is returned as it is.
func repairPEM(text []byte) []byte {
	trimmed := bytes.TrimSpace(text)
	repaired := trimmed
	if n := len(trimmed); n >= 2 && (trimmed[0] == '"' || trimmed[0] == '\'') && trimmed[n-1] == trimmed[0] {
		repaired = trimmed[1 : n-1]
	}
	if bytes.Contains(repaired, []byte(`\n`)) {
		repaired = bytes.ReplaceAll(repaired, []byte(`\r\n`), []byte("\n"))
		repaired = bytes.ReplaceAll(repaired, []byte(`\n`), []byte("\n"))
	}
	if len(repaired) == len(trimmed) {
		return text
	}
	return append(bytes.TrimSpace(repaired), '\n')
}

// findPEM returns the first block whose type ends in suffix, or else the first
// block of any type.
func findPEM(text []byte, suffix string) (*pem.Block, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("empty, expected PEM text")
	}
	var first *pem.Block
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, suffix) {
			return block, nil
		}
		if first == nil {
			first = block
		}
	}
	if first != nil {
		return first, nil
	}
	if bytes.Contains(text, []byte("-----BEGIN ")) {
		return nil, errors.New("a damaged PEM block (have its line breaks been lost?)")
	}
	return nil, errors.New("no PEM block in it, expected one that begins with -----BEGIN")
}

// parsePrivate reads an RSA private key: PKCS#8 or PKCS#1, not encrypted.
func parsePrivate(text []byte) (*rsa.PrivateKey, error) {
	block, err := findPEM(text, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	// What x509 says about a broken key is left out: it may quote bytes of it.
	switch block.Type {
	case "RSA PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return nil, errors.New("the key is encrypted, expected one without a passphrase")
		}
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, errors.New("the RSA PRIVATE KEY block does not hold a PKCS#1 key")
		}
		return key, nil
	case "PRIVATE KEY":
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, errors.New("the PRIVATE KEY block does not hold a PKCS#8 key that can be read")
		}
		key, ok := parsed.(*rsa.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("not an RSA key but %s", typeOf(parsed))
		}
		return key, nil
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("the key is encrypted, expected one without a passphrase")
	case "EC PRIVATE KEY", "DSA PRIVATE KEY":
		return nil, fmt.Errorf("not an RSA key but an %s block", block.Type)
	default:
		return nil, fmt.Errorf("a PEM block of type %.40q, expected PRIVATE KEY or RSA PRIVATE KEY", block.Type)
	}
}

// parsePublic reads an RSA public key: PKIX or PKCS#1. Since the text will be
// published as it is, nothing else may be in it (S43).
func parsePublic(text []byte) (*rsa.PublicKey, error) {
	if bytes.Contains(text, []byte("PRIVATE KEY")) {
		return nil, errors.New("it holds a private key, expected only a PUBLIC KEY block")
	}
	block, err := findPEM(text, "PUBLIC KEY")
	if err != nil {
		return nil, err
	}
	if !isOnlyBlock(text) {
		return nil, errors.New("there is text beside one PEM block")
	}
	switch block.Type {
	case "PUBLIC KEY":
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, errors.New("the PUBLIC KEY block does not hold a key that can be read")
		}
		key, ok := parsed.(*rsa.PublicKey)
		if !ok {
			return nil, fmt.Errorf("not an RSA key but %s", typeOf(parsed))
		}
		return key, nil
	case "RSA PUBLIC KEY":
		key, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return nil, errors.New("the RSA PUBLIC KEY block does not hold a PKCS#1 key")
		}
		return key, nil
	default:
		return nil, fmt.Errorf("a PEM block of type %.40q, expected PUBLIC KEY or RSA PUBLIC KEY", block.Type)
	}
}

// isOnlyBlock reports whether text is one PEM block without headers, and white
// space.
func isOnlyBlock(text []byte) bool {
	begin := []byte("-----BEGIN ")
	block, rest := pem.Decode(text)
	return block != nil && len(block.Headers) == 0 && len(bytes.TrimSpace(rest)) == 0 &&
		bytes.HasPrefix(bytes.TrimSpace(text), begin) && bytes.Count(text, begin) == 1
}

// typeOf names the type of a key, such as "ecdsa.PrivateKey".
func typeOf(key any) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", key), "*")
}
