import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** An authority, a server's certificate for `localhost` and 127.0.0.1, and a client's, until 2126. No key is a secret. */
const FILES = {
  "ca.crt": `-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIUaNM4jvOAjK5wb6A+FEOO4m65AwIwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwORGFya3Jvb20gdGVzdHMwIBcNMjYxMTI1MDQ1OTE2WhgPMjEy
NjExMDEwNDU5MTZaMBkxFzAVBgNVBAMMDkRhcmtyb29tIHRlc3RzMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEv0qwSOe8JTODPl5pybHqVbq7R4Nf9Zc1bNpMtRnk
A/2FHjv7nnfwaWi4tH1OMuhdwCE4MAyNvKp1xDiIAxw7/KNjMGEwHQYDVR0OBBYE
FNON3InWmKGKqPNGCXNKqti2Mx+iMB8GA1UdIwQYMBaAFNON3InWmKGKqPNGCXNK
qti2Mx+iMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMAoGCCqGSM49
BAMCA0gAMEUCIQDaQgO2tQnv+0J8MNG4hi9BsGW8dhNq/u3h2Jr8ucxNxQIgfiP9
l+KF4mbdcgL+h6hgqZgZhjXbc0KxIQ55ZktLkXs=
-----END CERTIFICATE-----
`,
  "server.crt": `-----BEGIN CERTIFICATE-----
MIIBtzCCAV6gAwIBAgIUdGHqLlkFEGBNE0CY8jm4dTBKLdEwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwORGFya3Jvb20gdGVzdHMwIBcNMjYxMTI1MDQ1OTE2WhgPMjEy
NjExMDEwNDU5MTZaMBExDzANBgNVBAMMBnNlcnZlcjBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABOiQAFBK+D6R0dbwxUqRFcNr21yKkngQtb0L4STP4aOokcKoH8l6
cE2j7MaT94o4pZYZfNxNxxKzzYXdCGCNOhajgYkwgYYwGgYDVR0RBBMwEYIJbG9j
YWxob3N0hwR/AAABMB0GA1UdJQQWMBQGCCsGAQUFBwMBBggrBgEFBQcDAjAJBgNV
HRMEAjAAMB0GA1UdDgQWBBSuM3RCTEmVuY5FUNh9pp2MpSysxjAfBgNVHSMEGDAW
gBTTjdyJ1pihiqjzRglzSqrYtjMfojAKBggqhkjOPQQDAgNHADBEAiAB1XYugoju
BtNOp/KGxLUjfQIQw9ktlnQWMwbop2vlSQIgNASul024mxbWKNMAzy61fIxj2sq3
EIqXVc4ZGMIJ0AE=
-----END CERTIFICATE-----
`,
  "server.key": `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8qv8JkSExvt7knAr
o7Y2zMSGw3PFoTRTSb6tipvuHDyhRANCAATokABQSvg+kdHW8MVKkRXDa9tcipJ4
ELW9C+Ekz+GjqJHCqB/JenBNo+zGk/eKOKWWGXzcTccSs82F3QhgjToW
-----END PRIVATE KEY-----
`,
  "client.crt": `-----BEGIN CERTIFICATE-----
MIIByDCCAW+gAwIBAgIUdGHqLlkFEGBNE0CY8jm4dTBKLdIwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwORGFya3Jvb20gdGVzdHMwIBcNMjYxMTI1MDQ1OTE2WhgPMjEy
NjExMDEwNDU5MTZaMBExDzANBgNVBAMMBmNsaWVudDBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABGVImGhBIgQwZwlWKcBcv93jhgKq5O5Psjiy1cyWzzKCP6lykFus
QVJWhVOiHPaUqN7Lzg71PVVcXWWXqHPdKvWjgZowgZcwNQYDVR0RBC4wLIIUZGFy
a3Jvb20tdGVzdC1jbGllbnSBFGRhcmtyb29tQGV4YW1wbGUuY29tMBMGA1UdJQQM
MAoGCCsGAQUFBwMCMAkGA1UdEwQCMAAwHQYDVR0OBBYEFCABfnu2clUHvS23VDcr
be1CNv0+MB8GA1UdIwQYMBaAFNON3InWmKGKqPNGCXNKqti2Mx+iMAoGCCqGSM49
BAMCA0cAMEQCIExJjasydxak5lEkdeGd2hI9zVMFFsTTQrQdjXl7QyObAiBrwIUg
mbStip+MoQv3JREpLYf/WvdB3TVijZ0GoIrVZQ==
-----END CERTIFICATE-----
`,
  "client.key": `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfsM1lxcbQSSseyH1
OvMwPVICx7oTTtsmkxDzKicEoMmhRANCAARlSJhoQSIEMGcJVinAXL/d44YCquTu
T7I4stXMls8ygj+pcpBbrEFSVoVTohz2lKjey84O9T1VXF1ll6hz3Sr1
-----END PRIVATE KEY-----
`,
};

export type Certificates = { ca: string; server: [cert: string, key: string]; client: [cert: string, key: string] };

/** Writes them into a directory. Resolves to their paths. */
export const writeCertificates = async (directory: string): Promise<Certificates> => {
  for (const [name, pem] of Object.entries(FILES)) await writeFile(join(directory, name), pem);
  const pair = (name: string): [string, string] => [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  return { ca: join(directory, "ca.crt"), server: pair("server"), client: pair("client") };
};
