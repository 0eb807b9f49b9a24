/** Pages for people: complete in themselves, whatever is written on them. */
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] as string);

export const HTML_TYPE = 'text/html; charset=utf-8';

/** Texts on a page may come from callers: nothing may run or load anything, whatever they are. */
export const pagePolicy = ['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'"] as const;
