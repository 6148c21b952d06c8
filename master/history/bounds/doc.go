// Package bounds limits how much one PromQL expression may ask for. The bounds are checked
// before the expression is evaluated, most of them before it is parsed, because parsing
// alone takes time that grows with the square of the nesting.
//
//   - Parser refuses text that is long or deeply nested, wherever it comes from.
//   - Steps refuses subqueries that would be evaluated too often.
//   - Queryable stops reading when its context ends, and when one series would be
//     read over and over again.
package bounds
