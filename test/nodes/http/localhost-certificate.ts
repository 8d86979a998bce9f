/**
 * A certificate for localhost that has signed itself, valid for a hundred years. Its key protects
 * nothing. Made by: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes
 * -days 36500 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1
 */
export const localhostCertificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUQ3YU07Y70HnzbPuyRSqL3loQwTMwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzE5MjkyMVoYDzIxMjYxMDMw
MTkyOTIxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ98uFUIWLCKPekXoZHoONjCArmne3vzaB/4oEJx1gwNt98Ac1eMcFa
QOpzGTFLMoYmBONV/Et8YmPg9PNBzEJWo28wbTAdBgNVHQ4EFgQUK+5F8guq/tIE
8IuDDy/Dx1PnIIowHwYDVR0jBBgwFoAUK+5F8guq/tIE8IuDDy/Dx1PnIIowDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgXTQoYZddWaJbbUTV9+ufhDBE+g72zFnQP/rbh8UdeycCIAKu
lzqVLxzRyfKDW/KCH/Xh0RDgDyHfzuHSXDelzT3s
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgrxX8HKqvEYbLmK00
ztIwIaDblYTFsmFO3UIXHNQ1YNqhRANCAAQ98uFUIWLCKPekXoZHoONjCArmne3v
zaB/4oEJx1gwNt98Ac1eMcFaQOpzGTFLMoYmBONV/Et8YmPg9PNBzEJW
-----END PRIVATE KEY-----
`,
};
