/** What JSON can hold. */
export type JsonObject = { [name: string]: Json };
export type Json = string | number | boolean | null | Json[] | JsonObject;
