/**
 * Non-critical extension with which a software platform marks its PCK certificates, so that its quotes are told from a
 * hardware platform's even where its root is trusted. Whoever issues it and whoever looks for it read it here.
 *
 * The arc is the one for identifiers made from a GUID (here 2c576321-bb97-424a-9c98-73ab27466470) cut into small numbers;
 * the single 128-bit number under 2.25 is refused by the X.509 parsers of Go, of Python's cryptography and of RustCrypto.
 */
export const SOFTWARE_PLATFORM_OID = "1.2.840.113556.1.8000.2554.11351.25377.48023.16970.40088.7580455.4613232";
