/** A number as it stands in a table: `width` characters, to the right. */
export function column(value: number, width: number, digits = 0): string {
  return value.toFixed(digits).padStart(width);
}
