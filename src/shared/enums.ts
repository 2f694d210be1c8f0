/** The values of an enum as an object, which `registerEnumType` wants, and whose keys are its type. */
export const enumOf = <const Value extends string>(...values: Value[]) =>
  Object.fromEntries(values.map(value => [value, value])) as { readonly [Each in Value]: Each }
