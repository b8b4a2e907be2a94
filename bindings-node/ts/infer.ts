/** The TypeScript type of what a JSON Schema lets through, for schemas that are written where they are used. Types only. */

/**
 * The values a JSON Schema describes, as far as its types, properties and choices say it. `any` where it says nothing, and
 * where it is not known to the compiler, such as a schema read from a file.
 */
export type FromJsonSchema<S> = S extends { readonly const: infer Only }
  ? Only
  : S extends { readonly enum: readonly (infer Choice)[] }
    ? Choice
    : S extends { readonly type: infer Type }
      ? Typed<Type, S>
      : S extends { readonly properties: object }
        ? Members<S>
        : S extends { readonly anyOf: readonly (infer Choice)[] } | { readonly oneOf: readonly (infer Choice)[] }
          ? FromJsonSchema<Choice>
          : any;

// Of several types, each by itself.
type Typed<Type, S> = Type extends readonly (infer One)[]
  ? Typed<One, S>
  : Type extends "string"
    ? string
    : Type extends "number" | "integer"
      ? number
      : Type extends "boolean"
        ? boolean
        : Type extends "null"
          ? null
          : Type extends "array"
            ? S extends { readonly items: infer Item }
              ? FromJsonSchema<Item>[]
              : any[]
            : Type extends "object"
              ? Members<S>
              : any;

// Members that are not named may be there all the same; who reads them says so by `additionalProperties`.
type Members<S> = S extends { readonly properties: infer P }
  ? Flat<
      { -readonly [K in keyof P as K extends Required<S> ? K : never]: FromJsonSchema<P[K]> } & {
        -readonly [K in keyof P as K extends Required<S> ? never : K]?: FromJsonSchema<P[K]> | undefined;
      } & (S extends { readonly additionalProperties: true | object } ? { [name: string]: unknown } : unknown)
    >
  : S extends { readonly additionalProperties: infer Rest extends object }
    ? Record<string, FromJsonSchema<Rest>>
    : any;

type Required<S> = S extends { readonly required: readonly (infer Name)[] } ? Name : never;

type Flat<T> = { [K in keyof T]: T[K] };
