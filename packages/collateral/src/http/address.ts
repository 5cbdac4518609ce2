/** A URL as messages name it: without user, password, query and fragment, which may hold tokens and platform identities. */
export function addressOf(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** {@link addressOf} of a text. One that is no URL is not repeated. */
export function addressOfText(url: string): string {
  return URL.canParse(url) ? addressOf(new URL(url)) : "an address that is no URL";
}
